import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { enginePackage, thisMachine } from './engine-package.mjs';

const { optionalDependencies } = JSON.parse(
  readFileSync(new URL('../node_modules/chdb/package.json', import.meta.url), 'utf8'),
) as { optionalDependencies: Record<string, string> };

test.each([
  ['linux', 'x64', true, '@chdb/lib-linux-x64-gnu'],
  ['linux', 'arm64', true, '@chdb/lib-linux-arm64-gnu'],
  ['darwin', 'arm64', false, '@chdb/lib-darwin-arm64'],
  ['darwin', 'x64', false, '@chdb/lib-darwin-x64'],
  ['linux', 'x64', false, undefined],
  ['linux', 'arm64', false, undefined],
  ['linux', 's390x', true, undefined],
  ['win32', 'x64', false, undefined],
  ['win32', 'arm64', false, undefined],
])('the engine of %s %s, glibc %s, is %s', (platform, arch, hasGlibc, name) => {
  expect(enginePackage({ platform, arch, hasGlibc }, optionalDependencies)?.name).toBe(name);
});

test('every engine package of chdb belongs to one platform', () => {
  const machines = ['linux', 'darwin'].flatMap((platform) =>
    ['x64', 'arm64'].map((arch) => ({ platform, arch, hasGlibc: platform === 'linux' })),
  );
  const found = machines.map((machine) => enginePackage(machine, optionalDependencies)?.name);
  expect(found.toSorted()).toEqual(Object.keys(optionalDependencies).toSorted());
});

test('the machine of the tests is known', () => {
  expect(thisMachine()).toMatchObject({ platform: process.platform, arch: process.arch });
});
