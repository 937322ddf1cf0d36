import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OpenrayError } from '../../../errors.ts';
import { sql } from '../../sql.ts';
import type { Store } from '../../store.ts';
import { aDocument } from '../../testing/documents.ts';
import { hasEnded, pauseProcess, queueForEngineLock, signalThread } from '../../testing/engine-faults.ts';
import { makeTestDirectory, openTestStore, type TestDirectory } from '../../testing/open-test-store.ts';

/** The process of the engine ends or hangs: calls fail until a new one answers, and no row is lost. */

const COUNT = sql`SELECT count() AS n FROM documents`;
const isLinux = process.platform === 'linux';
const hasPython = spawnSync('python3', ['--version']).status === 0;

let directory: TestDirectory;
let store: Store;

beforeEach(async () => {
  directory = await makeTestDirectory();
  store = await openTestStore(directory.path);
  await store.append([aDocument(1), aDocument(2)]);
});

afterEach(async () => {
  await store.close();
  await directory.remove();
});

const enginePid = () => store.engineProcess()?.pid ?? 0;
const restarts = () => store.engineProcess()?.restarts;
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (reason) => reason,
  );

async function expectBack(): Promise<void> {
  await vi.waitFor(async () => expect(await store.query(COUNT)).toEqual([{ n: 2 }]), { timeout: 60_000, interval: 20 });
}

const RESTARTING = {
  code: 'ServiceUnavailable',
  message: 'The embedded engine is restarting; try again',
  retryAfterSeconds: 1,
};

test.each(['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL'] as const)(
  '%s ends the process: calls fail with a hint, then are answered',
  async (signal) => {
    process.kill(enginePid(), signal);
    const failure = await failureOf(store.query(COUNT));
    expect(failure).toMatchObject(RESTARTING);
    expect((failure as OpenrayError).cause).toMatchObject({
      message: `the process of the engine was ended by ${signal}`,
    });
    await expectBack();
    expect(restarts()).toBe(1);
  },
);

test.runIf(isLinux && hasPython).each(['main', 'node', 'clickhouse'] as const)(
  'a fault in a thread ends the process, too: %s',
  async (kind) => {
    signalThread(enginePid(), kind, 'SIGSEGV');
    expect(await failureOf(store.query(COUNT))).toMatchObject(RESTARTING);
    await expectBack();
    expect(restarts()).toBe(1);
  },
);

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s, which a terminal sends to both, leaves it running',
  async (signal) => {
    process.kill(enginePid(), signal);
    // The second question is answered after the signal has been handled.
    for (let question = 0; question < 2; question++) expect(await store.query(COUNT)).toEqual([{ n: 2 }]);
    expect(restarts()).toBe(0);
  },
);

test('a process that hangs is killed while calls wait for it', async () => {
  await pauseProcess(enginePid());
  const failure = await failureOf(store.query(COUNT));
  expect(failure).toMatchObject(RESTARTING);
  expect((failure as OpenrayError).cause).toMatchObject({
    message: 'the process of the engine did not respond for 2.5 s',
  });
  await expectBack();
});

test('a running query and a stream fail when the process ends', async () => {
  const endless = sql`SELECT number FROM system.numbers WHERE sleepEachRow(0.01) = 0 SETTINGS max_block_size = 1`;
  const rows = store.stream(endless)[Symbol.asyncIterator]();
  expect(await rows.next()).toMatchObject({ done: false });
  const query = failureOf(
    store.query(sql`SELECT sum(sleepEachRow(1)) AS n FROM numbers(100) SETTINGS max_block_size = 1`),
  );
  process.kill(enginePid(), 'SIGSEGV');
  expect(await query).toMatchObject(RESTARTING);
  const drain = async () => {
    while (!(await rows.next()).done);
  };
  expect(await failureOf(drain())).toMatchObject(RESTARTING);
  await expectBack();
});

test('documents that arrive while it restarts are stored', async () => {
  process.kill(enginePid(), 'SIGKILL');
  await failureOf(store.query(COUNT));
  await store.append([aDocument(3)]);
  expect(await store.query(COUNT)).toEqual([{ n: 3 }]);
});

test.runIf(isLinux)('a restart that fails is repeated until it succeeds, and reported by the checks', async () => {
  const lock = await queueForEngineLock(directory.path);
  process.kill(enginePid(), 'SIGKILL');
  await lock.locked;
  await vi.waitFor(() => expect(restarts()).toBeGreaterThanOrEqual(2), { timeout: 60_000, interval: 20 });
  expect(await failureOf(store.query(COUNT))).toMatchObject(RESTARTING);
  expect(await store.checks()).toContainEqual({
    name: 'engine',
    state: 'not-ready',
    sentence: 'ClickHouse is restarting: its process was ended by SIGKILL',
  });
  lock.release();
  await expectBack();
  expect(await store.checks()).toContainEqual(expect.objectContaining({ name: 'engine', state: 'ok' }));
});

test.runIf(isLinux).each(['SIGKILL', 'SIGSTOP'] as const)('a store closes after %s to its engine', async (signal) => {
  const pid = enginePid();
  process.kill(pid, signal);
  await store.close();
  expect(hasEnded(pid)).toBe(true);
  expect(hasEnded(enginePid())).toBe(true);
  store = await openTestStore(directory.path);
  expect(await store.query(COUNT)).toEqual([{ n: 2 }]);
});
