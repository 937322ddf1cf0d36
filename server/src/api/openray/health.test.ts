import { afterEach, beforeEach, expect, test } from 'vitest';
import { newStats } from '../../stats.ts';
import type { Store } from '../../store/store.ts';
import { aDocument } from '../../store/testing/documents.ts';
import { makeTestDirectory, openTestStore, type TestDirectory } from '../../store/testing/open-test-store.ts';
import { healthOf, newHealthChecks } from './health.ts';

test.each([
  ['ok', 'ok', true],
  ['degraded', 'degraded', true],
  ['not-ready', 'degraded', false],
  ['down', 'failing', false],
] as const)('a check that is %s makes the server %s', (state, status, isReady) => {
  const checks = [{ name: 'engine', state: 'ok', sentence: '' } as const, { name: 'other', state, sentence: 'why' }];
  expect(healthOf(checks)).toMatchObject({ status, isReady, checks: [{ ok: true }, { ok: state === 'ok' }] });
});

let directory: TestDirectory;
let store: Store;
beforeEach(async () => {
  directory = await makeTestDirectory();
  store = await openTestStore(directory.path);
});
afterEach(async () => {
  await store.close();
  await directory.remove();
});

test('documents that wait for the roll-up for more than five minutes degrade the server', async () => {
  let nowMs = 0;
  const readHealth = newHealthChecks({ store, stats: newStats() }, () => nowMs);
  const rollUp = async () => (await readHealth()).checks.find(({ name }) => name === 'roll-up');
  const seq = (minutesAgo: number) => (Date.now() - minutesAgo * 60_000) * 1000;
  await store.append([aDocument(1, { seq: seq(1) })]);
  expect(await rollUp()).toMatchObject({ ok: true, sentence: expect.stringMatching(/ 6\d s behind/) });
  await store.append([aDocument(2, { seq: seq(6) })]);
  // A second request within a second has the result of the first.
  expect(await rollUp()).toMatchObject({ ok: true });
  nowMs += 2_000;
  expect(await rollUp()).toMatchObject({ ok: false, sentence: expect.stringMatching(/ 36\d s behind/) });
  expect(await readHealth()).toMatchObject({ status: 'degraded', isReady: true });
});

test('an insert that fails makes the server not ready until one succeeds', async () => {
  const failed = async () => (await store.checks()).filter(({ state }) => state !== 'ok').map(({ name }) => name);
  const columns = { x: 'UInt8' };
  await expect(store.insert({ table: 'no_such_table', columns, bytes: new Uint8Array(1) })).rejects.toThrow();
  expect(await failed()).toEqual(['inserts']);
  await store.append([aDocument(1)]);
  expect(await failed()).toEqual([]);
});
