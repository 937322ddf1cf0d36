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
  Echo: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: echo.handler, Runtime: nodejs20.x, Tracing: Active, Timeout: 60}}
`;

/** A run of many files costs half a minute of CPU, so the other runners have fewer. */
const FILES = { many: 50, some: 12 };
/** Every so many files one invokes a function; the others send a trace, which costs less. */
const FILES_PER_FUNCTION = 10;
/** Tests of a file that run at once. */
const TESTS = 4;

/**
 * A user's test file. Its tests wait before they begin, for traces that all tests of all files have. The file writes the
 * address of its server to a file of its own.
 */
const body = (index: number) => `
const { randomBytes } = require('node:crypto');
const assert = require('node:assert');
const { writeFileSync } = require('node:fs');
const { startOpenray } = require('openray/testing');
let openray;
(globalThis.beforeAll ?? require('node:test').before)(async () => {
  openray = await startOpenray({ template: 'template.yaml' });
});
(globalThis.afterAll ?? require('node:test').after)(() => openray.close());
(globalThis.test ?? require('node:test').test)('finds its own traces among those of all files', async () => {
  await Promise.all(Array.from({ length: ${TESTS} }, (_, number) => findsItsTrace({ file: ${index}, number })));
  writeFileSync('url-${index}.txt', openray.url);
});

async function findsItsTrace(event) {
  const scope = openray.scope();
  const waiting = scope.waitForTrace('service("Echo") { responsetime >= 0 }', { timeoutMs: 120_000 });
  const id = await ${index % FILES_PER_FUNCTION === 0 ? 'invokeEcho' : 'sendEcho'}(scope, event);
  assert.equal((await waiting).id, id);
}

async function invokeEcho(scope, event) {
  const { result, traceId } = await scope.invoke('Echo', event);
  assert.deepEqual(result, event);
  return traceId;
}

async function sendEcho(scope) {
  const id = /Root=(\\S+)/.exec(scope.traceHeader())[1];
  const start = Date.now() / 1000;
  const segment = { name: 'Echo', id: randomBytes(8).toString('hex'), trace_id: id, start_time: start };
  for (const state of [{ in_progress: true }, { end_time: start + 0.1 }]) {
    const body = JSON.stringify({ TraceSegmentDocuments: [JSON.stringify({ ...segment, ...state })] });
    assert.equal((await fetch(openray.url + '/TraceSegments', { method: 'POST', body })).status, 200);
  }
  return id;
}
`;

async function runnerFolder(files: Readonly<Record<string, string>>, count: number): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  const tests = Array.from({ length: count }, (_, index) => [`${index}.test.cjs`, body(index)] as const);
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

describe.each<[string, number, Readonly<Record<string, string>>, readonly string[], boolean]>([
  [
    'vitest',
    FILES.many,
    { 'vitest.config.mjs': VITEST_CONFIG, 'package.json': '{}' },
    [join(REPOSITORY, 'node_modules/vitest/vitest.mjs'), 'run'],
    true,
  ],
  ['jest', FILES.some, { 'package.json': JEST_CONFIG }, [JEST ?? '', '--rootDir', '.'], JEST !== undefined],
  ['node:test', FILES.some, { 'package.json': '{}', 'run.mjs': NODE_RUN }, ['run.mjs'], true],
])('one server for a whole run of %s', (_runner, count, files, args, isThere) => {
  test.skipIf(!isThere)(
    `serves ${count} files in 8 workers, and each finds its own traces`,
    { timeout: 600_000 },
    async () => {
      const folder = await runnerFolder(files, count);
      const env = cleanEnvironment({ CI: 'true', FORCE_COLOR: '0', TMPDIR: folder });
      for (const name of ['NODE_TEST_CONTEXT', 'VITEST', 'VITEST_WORKER_ID', 'VITEST_POOL_ID', 'NODE_OPTIONS'])
        delete env[name];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
      expect(status, `${stdout}${stderr}`).toBe(0);
      const servers = await serversIn(folder);
      expect(servers).toHaveLength(count);
      const [url] = new Set(servers);
      expect(new Set(servers).size).toBe(1);
      await expect(fetch(`${url}/health`)).rejects.toThrow();
      expect((await readdir(folder)).filter((name) => name.startsWith('openray-'))).toEqual([]);
    },
  );
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
