import { spawnSync } from 'node:child_process';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shareOpenray, startOpenray } from 'openray/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment } from '../scripts/openray.ts';
import { findJest } from './support/jest.ts';
import { removeFolder, temporaryFolder } from './support/server.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const JEST = findJest();

const TEMPLATE = `
Resources:
  Echo: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: echo.handler, Runtime: nodejs20.x, Tracing: Active}}
`;

const FILES = 12;

/**
 * A user's test file. It waits before it invokes, for traces that all files have, and writes the address of its server
 * to a file of its own.
 */
const body = (index: number) => `
const { writeFileSync } = require('node:fs');
const { startOpenray } = require('openray/testing');
let openray;
(globalThis.beforeAll ?? require('node:test').before)(async () => {
  openray = await startOpenray({ template: 'template.yaml' });
});
(globalThis.afterAll ?? require('node:test').after)(() => openray.close());
(globalThis.test ?? require('node:test').test)('finds its own trace among those of all files', async () => {
  const waiting = openray.waitForTrace('service("Echo") { responsetime >= 0 }');
  const { result, traceId } = await openray.invoke('Echo', { file: ${index} });
  require('node:assert').deepEqual(result, { file: ${index} });
  require('node:assert').equal((await waiting).id, traceId);
  writeFileSync('url-${index}.txt', openray.url);
});
`;

async function runnerFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  const tests = Array.from({ length: FILES }, (_, index) => [`${index}.test.cjs`, body(index)] as const);
  const all: Readonly<Record<string, string>> = {
    ...files,
    ...Object.fromEntries(tests),
    'template.yaml': TEMPLATE,
    'echo.js': 'exports.handler = async (event) => event;',
  };
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);
  return folder;
}

/** Addresses of the servers that the files used, one for each file that passed. */
async function serversIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('url-'));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

const VITEST_CONFIG = `
export default {
  test: { globalSetup: ['openray/testing/global-setup'], include: ['*.test.cjs'], globals: true, testTimeout: 120_000,
    hookTimeout: 120_000, maxWorkers: 8 },
};`;

const JEST_CONFIG = JSON.stringify({
  jest: {
    globalSetup: 'openray/testing/global-setup',
    testMatch: ['**/*.test.cjs'],
    moduleFileExtensions: ['js', 'cjs', 'json'],
    testTimeout: 120_000,
    maxWorkers: 8,
    transform: {},
  },
});

const NODE_RUN = `
import { run } from 'node:test';
import { readdirSync } from 'node:fs';
import { spec } from 'node:test/reporters';
import { shareOpenray } from 'openray/testing';

await shareOpenray({ template: 'template.yaml' });
const files = readdirSync('.').filter((name) => name.endsWith('.test.cjs'));
run({ files, concurrency: 8 })
  .on('test:fail', () => { process.exitCode = 1; })
  .compose(new spec())
  .pipe(process.stdout);
`;

describe.each<[string, Readonly<Record<string, string>>, readonly string[], boolean]>([
  [
    'vitest',
    { 'vitest.config.mjs': VITEST_CONFIG, 'package.json': '{}' },
    [join(REPOSITORY, 'node_modules/vitest/vitest.mjs'), 'run'],
    true,
  ],
  ['jest', { 'package.json': JEST_CONFIG }, [JEST ?? '', '--rootDir', '.'], JEST !== undefined],
  ['node:test', { 'package.json': '{}', 'run.mjs': NODE_RUN }, ['run.mjs'], true],
])('one server for a whole run of %s', (_runner, files, args, isThere) => {
  test.skipIf(!isThere)('serves all files, and each finds its own traces', async () => {
    const folder = await runnerFolder(files);
    const env = cleanEnvironment({ CI: 'true', FORCE_COLOR: '0', TMPDIR: folder });
    for (const name of ['NODE_TEST_CONTEXT', 'VITEST', 'VITEST_WORKER_ID', 'VITEST_POOL_ID', 'NODE_OPTIONS'])
      delete env[name];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0);
    const servers = await serversIn(folder);
    expect(servers).toHaveLength(FILES);
    const [url] = new Set(servers);
    expect(new Set(servers).size).toBe(1);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    expect((await readdir(folder)).filter((name) => name.startsWith('openray-'))).toEqual([]);
  });
});

describe('a process with a shared server', () => {
  test('joins it where the options allow it, and starts another server elsewhere', async () => {
    const stop = await shareOpenray({ settings: { logLevel: 'error' } });
    onTestFinished(stop);
    const joined = await startOpenray();
    const [same, other] = await Promise.all([
      startOpenray({ settings: { logLevel: 'error' } }),
      startOpenray({ settings: { logLevel: 'warn' } }),
    ]);
    expect(same.url).toBe(joined.url);
    expect(other.url).not.toBe(joined.url);
    await other.close();
    await joined.close();
    expect((await fetch(`${joined.url}/health`)).status).toBe(200);
    await stop();
    await expect(fetch(`${joined.url}/health`)).rejects.toThrow();
  });
});
