/** A lock file that was written on one platform must install everything on the others. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..');

type LockedPackage = {
  readonly version: string;
  readonly os?: readonly string[];
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const { packages } = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};

/** Whether Node would find the package `name` from the folder `from` of the lock file. */
function isLocked(name: string, from: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (packages[join(folder, 'node_modules', name)] !== undefined) return true;
    if (folder === '') return false;
  }
}

test('each package that a locked package needs, on any platform, is locked', () => {
  const missing = Object.entries(packages).flatMap(([folder, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(name, folder))
      .map((name) => `${name} of ${folder || 'the repository'}`),
  );
  expect(missing).toEqual([]);
});

test('a package for one platform is locked for that platform alone', () => {
  for (const [name, version] of Object.entries(packages['node_modules/chdb']?.optionalDependencies ?? {})) {
    const [os] = name.replace('@chdb/lib-', '').split('-');
    expect(packages[`node_modules/${name}`]).toMatchObject({ version, os: [os], optional: true });
  }
});

test('package.json denies each install script by name, so that npm 12 prints no warning: openray needs none', () => {
  const withScripts = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([folder]) => folder.split('node_modules/').at(-1));
  const { allowScripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  expect(allowScripts).toEqual(Object.fromEntries(withScripts.map((name) => [name, false])));
});

describe('npm ci', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'openray-lock-'));
    const manifests = Object.keys(packages).filter((path) => !path.includes('node_modules'));
    for (const path of ['package-lock.json', ...manifests.map((manifest) => join(manifest, 'package.json'))]) {
      cpSync(join(REPOSITORY, path), join(folder, path));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['darwin', 'arm64', 'glibc', ['@chdb/lib-darwin-arm64', '@esbuild/darwin-arm64', 'fsevents']],
    ['linux', 'arm64', 'glibc', ['@chdb/lib-linux-arm64-gnu', '@esbuild/linux-arm64']],
    ['linux', 'x64', 'musl', ['@esbuild/linux-x64', '@biomejs/cli-linux-x64-musl']],
  ])('installs the packages of %s %s with %s', (os, cpu, libc, expected) => {
    const flags = ['--dry-run', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { stdout } = spawnSync('npm', ['ci', ...flags, `--os=${os}`, `--cpu=${cpu}`, `--libc=${libc}`], {
      cwd: folder,
      encoding: 'utf8',
    });
    const added = stdout.split('\n').flatMap((line) => /^add (\S+) /.exec(line)?.[1] ?? []);
    expect(added).toEqual(expect.arrayContaining(expected));
    const engines = added.filter((name) => name.startsWith('@chdb/'));
    expect(engines).toEqual(expected.filter((name) => name.startsWith('@chdb/')));
  });
});
