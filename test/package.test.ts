/**
 * openray as npm packs it, in an empty folder. Its dependencies are links into the checkout, so that the test needs no
 * network; `npm run test:install` installs them from the registry instead, with an empty home folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, runOpenray, startOpenray } from '../scripts/openray.ts';
import { startClickHouse } from '../server/src/store/testing/clickhouse-server.ts';
import { openBrowser } from './support/browser.ts';
import { removeFolder, temporaryFolder } from './support/server.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const CACHED_JEST = join(REPOSITORY, 'node_modules/.cache/jest/node_modules/jest');
const RUNNERS = ['vitest@4', 'jest@30'];
const isFromRegistry = process.env.OPENRAY_INSTALL === 'registry';

const PROJECT: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ private: true, jest: { setupFilesAfterEnv: ['openray/testing/jest'] } }),
  'template.yaml': `
Resources:
  Register: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: index.handler, Runtime: nodejs20.x, Tracing: Active, Timeout: 60}}
`,
  'src/index.ts': 'export const handler = async ({ user }: { user: string }) => user;',
  'traces.test.mjs': `
import { startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { expect, test } from 'vitest';
test('the trace of an invocation', async () => {
  const openray = await startOpenray({ template: 'template.yaml' });
  const { trace } = await openray.invoke('Register', { user: 'brian1' });
  expect(await trace()).toHaveSubsegment('Invocation');
  await openray.close();
}, 120_000);
`,
  'traces.jest.cjs': `
const { startOpenray } = require('openray/testing');
test('the trace of an invocation', async () => {
  const openray = await startOpenray({ template: 'template.yaml' });
  const { trace } = await openray.invoke('Register', { user: 'brian1' });
  expect(await trace()).toHaveSubsegment('Invocation');
  await openray.close();
}, 120_000);
`,
};

let folder: string;
let project: string;
let program: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  project = await newProject(folder);
  await install(packed(folder), project);
  program = join(project, 'node_modules/.bin/openray');
}, 900_000);

afterAll(() => removeFolder(folder));

async function newProject(parent: string): Promise<string> {
  const created = join(parent, 'project');
  await mkdir(join(created, 'src'), { recursive: true });
  for (const [name, text] of Object.entries(PROJECT)) await writeFile(join(created, name), text);
  return created;
}

/** The path of the package that npm would publish. */
function packed(destination: string): string {
  const args = ['pack', '--workspace', 'server', '--pack-destination', destination];
  const { stdout, stderr, status } = spawnSync('npm', args, { cwd: REPOSITORY, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  return join(destination, stdout.trim().split('\n').at(-1) as string);
}

async function install(tarball: string, into: string): Promise<void> {
  if (isFromRegistry) return installFromRegistry(tarball, into);
  const modules = join(into, 'node_modules');
  const installed = join(modules, 'openray');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await mkdir(installed);
  spawnSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    bin: { openray: string };
    dependencies: object;
    optionalDependencies: object;
  };
  const links = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, vitest: '' });
  for (const name of links) await link(join(REPOSITORY, 'node_modules', name), join(modules, name));
  if (existsSync(CACHED_JEST)) await link(CACHED_JEST, join(modules, 'jest'));
  // npm makes programs executable.
  await chmod(join(installed, manifest.bin.openray), 0o755);
  await symlink(join('../openray', manifest.bin.openray), join(modules, '.bin/openray'));
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

function installFromRegistry(tarball: string, into: string, more: readonly string[] = RUNNERS): void {
  const args = ['install', '--no-audit', '--no-fund', tarball, ...more];
  const env = { ...cleanEnvironment(), HOME: folder };
  const { stderr, status } = spawnSync('npm', args, { cwd: into, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${stderr}`);
}

async function newDataDir(): Promise<string> {
  const dataDir = await temporaryFolder();
  onTestFinished(() => removeFolder(dataDir));
  return dataDir;
}

const ANY_PORTS = ['--port', '0', '--otlp-http-port', '0', '--otlp-grpc-port', '0', '--log-level', 'warn'];

test('the package holds the console, the README with working links, and all licences, and no tests', async () => {
  const installed = join(project, 'node_modules/openray');
  const files = await readdir(installed, { recursive: true });
  expect(files).toEqual(expect.arrayContaining(['console/index.html', 'README.md', 'LICENSE', 'migrations']));
  expect(files.filter((name) => /\.test\.|testing\/|\.built|\.map$/.test(name))).toEqual([]);
  const notices = await readFile(join(installed, 'dist/bundle/LICENSES.txt'), 'utf8');
  expect(notices).toMatch(/^fastify [\d.]+ \(MIT\)$/m);
  const { components } = JSON.parse(await readFile(join(installed, 'dist/bundle/openray.bundle.cdx.json'), 'utf8'));
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'node_modules/fastify/package.json'), 'utf8'));
  expect(components).toContainEqual(expect.objectContaining({ purl: `pkg:npm/fastify@${version}` }));
  const links = [...(await readFile(join(installed, 'README.md'), 'utf8')).matchAll(/\]\(([^)]+)\)/g)];
  expect(links.map(([, target]) => target).filter((target) => !/^(https?:|#)/.test(target as string))).toEqual([]);
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  expect(manifest.repository.url).toContain(manifest.homepage.replace(/#.*/, ''));
  expect(manifest.keywords).toContain('xray');
  for (const path of ['server/console', 'server/README.md', 'server/LICENSE']) {
    expect(existsSync(join(REPOSITORY, path)), `npm pack left ${path} in the checkout`).toBe(false);
  }
});

test('openray serves, and the link of an invocation opens its trace in the console', async () => {
  const dataDir = await newDataDir();
  const server = await startOpenray([...ANY_PORTS, '--data-dir', dataDir, '--template', 'template.yaml'], {
    cwd: project,
    program,
  });
  onTestFinished(() => server.stop());
  const { stdout, stderr, exitCode } = await runOpenray(
    ['invoke', 'Register', '--event', '{"user":"brian1"}', '--endpoint-url', server.url],
    { cwd: project, program },
  );
  expect({ stdout, exitCode }).toEqual({ stdout: '"brian1"', exitCode: 0 });
  const address = /Trace: (\S+)/.exec(stderr)?.[1] as string;
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.getByRole('link', { name: 'Traces' }).first().waitFor();
  await page.goto(address);
  await page.getByText('Register').first().waitFor();
  await page.getByText('Invocation').first().waitFor();
});

/** One frame of Zstandard whose only block is not compressed. For fewer than 256 bytes. */
function zstdFrame(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text);
  const blockHeader = Buffer.alloc(3);
  blockHeader.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, bytes.length, ...blockHeader, ...bytes]);
}

test('a body in Zstandard is read, with the library on a Node that cannot', async () => {
  const server = await startOpenray([...ANY_PORTS, '--data-dir', await newDataDir()], { program });
  onTestFinished(() => server.stop());
  const response = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'zstd' },
    body: zstdFrame('{"resourceSpans":[]}'),
  });
  expect({ status: response.status, body: await response.json() }).toEqual({ status: 200, body: {} });
});

test('a test file with openray/testing passes under vitest', () => {
  const vitest = join(project, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--root', project, '--reporter', 'json', 'traces.test.mjs'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: project, env: cleanEnvironment(), encoding: 'utf8' });
  expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: 1, numTotalTests: 1 });
});

test.skipIf(!isFromRegistry && !existsSync(CACHED_JEST))('a test file with openray/testing passes under jest', () => {
  const jest = join(project, 'node_modules/jest/bin/jest.js');
  const args = [jest, '--rootDir', project, '--testMatch', '**/*.jest.cjs'];
  const env = cleanEnvironment({ CI: 'true' });
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, env, encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toContain('1 passed, 1 total');
});

test('without optional packages openray says what is missing, and runs on a ClickHouse server', async () => {
  const without = await temporaryFolder();
  onTestFinished(() => removeFolder(without));
  const other = await newProject(without);
  if (isFromRegistry) installFromRegistry(packed(without), other, ['--omit=optional']);
  else {
    await install(packed(without), other);
    await rm(join(other, 'node_modules/chdb'));
  }
  const otherProgram = join(other, 'node_modules/.bin/openray');
  const flags = [...ANY_PORTS, '--data-dir', await newDataDir()];
  const { stderr, exitCode } = await runOpenray(['serve', ...flags], { program: otherProgram });
  expect(exitCode).toBe(74);
  expect(stderr).toMatch(/^openray: The embedded engine.*"npm install chdb@[\d.]+", or .*--store-url URL\n$/);

  const clickHouse = await startClickHouse();
  onTestFinished(() => clickHouse.stop());
  const server = await startOpenray([...flags, '--store-url', clickHouse.url], { program: otherProgram });
  onTestFinished(() => server.stop());
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});
