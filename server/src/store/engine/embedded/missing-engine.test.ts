import { expect, test } from 'vitest';
import { hasGlibc, missingEngine } from './missing-engine.ts';

const REASON = "Cannot find package 'chdb'";

test.each([
  ['win32', 'x64', false, /no embedded engine for Windows: run openray in WSL 2/],
  ['linux', 'x64', false, /no embedded engine for Linux with musl.*glibc.*node:24-slim/],
  ['linux', 'arm64', false, /no embedded engine for Linux with musl/],
  ['linux', 's390x', true, /no embedded engine for Linux on s390x/],
  ['freebsd', 'x64', false, /no embedded engine for freebsd on x64/],
])('%s %s, glibc %s: there is no engine to install, so the sentence names the alternatives', (...row) => {
  const [platform, arch, glibc, expected] = row;
  const sentence = missingEngine({ platform, arch, hasGlibc: glibc }, REASON);
  expect(sentence).toMatch(expected);
  expect(sentence).toMatch(/--store-url URL$/);
  expect(sentence).not.toContain('install');
});

test.each([
  ['linux', 'x64', true, 'Linux x64'],
  ['linux', 'arm64', true, 'Linux arm64'],
  ['darwin', 'arm64', false, 'macOS arm64'],
  ['darwin', 'x64', false, 'macOS x64'],
])('%s %s, glibc %s: the sentence has the reason and the command that installs the engine', (...row) => {
  const [platform, arch, glibc, name] = row;
  const sentence = missingEngine({ platform, arch, hasGlibc: glibc }, REASON);
  expect(sentence).toContain(`cannot be loaded on ${name} (${REASON})`);
  expect(sentence).toMatch(/"npm install chdb@\d+\.\d+\.\d+", or .*--store-url URL$/);
});

test('the embedded engine of the tests needs glibc on Linux', () => {
  expect(hasGlibc()).toBe(process.platform === 'linux');
});
