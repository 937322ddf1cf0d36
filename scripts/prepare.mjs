// Prepares a checkout: installs packages, builds stale outputs, and finds a browser for the tests. Plain JavaScript
// without dependencies, since it runs before they are installed. A second run changes nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enginePackage, thisMachine } from './engine-package.mjs';
import { findChromium } from './find-chromium.mjs';

const wantsBrowser = process.argv.includes('--browser');
const wantsJest = process.argv.includes('--jest');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node 20.19 or newer is needed; this is ${process.versions.node}.`);

const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed) || changedAt('package-lock.json') > changedAt(installed)) {
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing packages');
}
installMissingEngine();
const serverSources = [
  'server/src',
  'server/tsconfig.json',
  'tsconfig.base.json',
  'server/bundle.mjs',
  'server/package.json',
];
if (newest(serverSources) > changedAt('server/dist/.built')) {
  run('npx', ['tsc', '-b', 'server'], 'building the server');
  run('node', ['server/bundle.mjs'], 'bundling the server');
  stamp('server/dist/.built');
}
if (
  newest(['console/src', 'console/index.html', 'console/vite.config.ts', 'server/dist/filter', 'server/dist/.built']) >
  changedAt('console/dist/.built')
) {
  run('npx', ['vite', 'build', 'console', '--logLevel', 'warn'], 'building the console');
  stamp('console/dist/.built');
}
if (wantsJest) installJest();
if (wantsBrowser && findChromium() === undefined) installChromium();

/**
 * npm leaves an optional package out without a message when it cannot get it. A failure here does not end the
 * installation: without an engine openray runs on a ClickHouse server, and its start names that option.
 */
function installMissingEngine() {
  const manifest = 'node_modules/chdb/package.json';
  if (!existsSync(manifest)) return;
  const engine = enginePackage(thisMachine(), JSON.parse(readFileSync(manifest, 'utf8')).optionalDependencies ?? {});
  if (engine === undefined || existsSync(join('node_modules', engine.name))) return;
  const named = `${engine.name}@${engine.version}`;
  process.stderr.write(`installing ${named} …\n`);
  // In a folder of its own: beside the other packages, npm would update those as well.
  const folder = 'node_modules/.cache/engine';
  const flags = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...flags, named], { stdio: ['ignore', 2, 2] });
  if (status === 0) {
    mkdirSync('node_modules/@chdb', { recursive: true });
    renameSync(join(folder, 'node_modules', engine.name), join('node_modules', engine.name));
  } else {
    process.stderr.write(`${named} cannot be installed: openray runs with --store-url URL only.\n`);
  }
  rmSync(folder, { recursive: true, force: true });
}

/**
 * The runner of openray's users, not of this repository: its hundreds of packages stay out of the lock file, in a folder
 * of their own. Without it, its tests are skipped.
 */
function installJest() {
  const folder = 'node_modules/.cache/jest';
  if (existsSync(join(folder, 'node_modules/jest/bin/jest.js'))) return;
  process.stderr.write('installing jest …\n');
  const flags = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...flags, 'jest@30.5.2'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.stderr.write('jest cannot be installed: its tests are skipped.\n');
}

function installChromium() {
  const apt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
  if (apt && process.getuid?.() === 0) {
    run('apt-get', ['update', '-qq'], 'looking for Chromium');
    run('apt-get', ['install', '-y', '-qq', 'chromium'], 'installing Chromium for the browser tests');
  }
  if (findChromium() === undefined) {
    fail('The browser tests need Chromium or Chrome: install it, or set CHROMIUM_PATH to its program.');
  }
}

function run(command, args, step) {
  process.stderr.write(`${step} …\n`);
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`${step} failed: ${[command, ...args].join(' ')} (${error?.message ?? `exit ${status}`})`);
}

function changedAt(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function newest(paths) {
  return paths.reduce((latest, path) => Math.max(latest, newestBelow(path)), 0);
}

function newestBelow(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newestBelow(join(path, name))), mtimeMs);
}

function stamp(path) {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
