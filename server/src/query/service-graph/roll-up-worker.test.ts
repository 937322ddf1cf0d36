import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TraceSummary } from '../../model/summary.ts';
import { newStats } from '../../stats.ts';
import { renderSql, sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { receivedDocuments, SPREAD_US, START_US, subjectsOf } from '../testing/received-documents.ts';
import { findTraces } from '../traces/find-traces.ts';
import { readSummaryState } from '../traces/summary-state.ts';
import { fillSummaries } from './fill-summaries.ts';
import { rollUp } from './roll-up.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';
import { startRollUpWorker } from './roll-up-worker.ts';
import { serviceGraphOf } from './service-graph.ts';
import { referenceServiceGraph } from './testing/reference-service-graph.ts';
import { visibleGraph } from './testing/visible-graph.ts';

let store: Store;
let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
const log = { info: () => undefined, warn: vi.fn() };
const stats = newStats();
const documents = receivedDocuments(60, 5);
const lastSeq = Math.max(...documents.map(({ seq }) => seq));
const everything = { fromUs: START_US - 60e6, toUs: START_US + 2 * SPREAD_US };

beforeEach(async () => {
  directory = await makeTestDirectory();
  store = await openTestStore(directory.path);
});

afterEach(async () => {
  await store.close();
  await directory.remove();
});

test('documents are rolled up soon after they are stored, those already in the store first', async () => {
  await store.append(documents.slice(0, 100));
  const worker = startRollUpWorker(store, { log, stats, intervalMs: 5 });
  await expect.poll(() => readRollUpWatermark(store)).toBe(documents[99]?.seq);
  await store.append(documents.slice(100));
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await worker.stop();
  const subjects = subjectsOf(documents);
  const whole = referenceServiceGraph(subjects, subjects, everything);
  expect(visibleGraph(await serviceGraphOf(store, { window: everything, filter: undefined }))).toEqual(
    visibleGraph(whole),
  );
  expect(log.warn).not.toHaveBeenCalled();
});

test('documents that just arrived wait, since an earlier document may not be stored yet', async () => {
  await store.append(documents);
  const betweenBatches = vi.fn(async () => false);
  const worker = startRollUpWorker(store, {
    ...{ log, stats, intervalMs: 5, restMs: 5, watermarkDelayMs: Date.now(), betweenBatches },
  });
  await expect.poll(() => betweenBatches.mock.calls.length).toBeGreaterThan(10);
  await worker.stop();
  expect(await readRollUpWatermark(store)).toBe(0);
});

test('no query runs while no document is inserted', async () => {
  await store.append(documents.slice(0, 100));
  const query = vi.fn(store.query) as typeof store.query;
  const betweenBatches = vi.fn(async () => false);
  const worker = startRollUpWorker({ ...store, query }, { log, stats, intervalMs: 5, restMs: 5, betweenBatches });
  await expect.poll(() => readRollUpWatermark(store)).toBe(documents[99]?.seq);
  await expect.poll(() => betweenBatches.mock.calls.length).toBeGreaterThan(1);
  const [queries, checks] = [vi.mocked(query).mock.calls.length, betweenBatches.mock.calls.length];
  await expect.poll(() => betweenBatches.mock.calls.length).toBeGreaterThan(checks + 10);
  expect(vi.mocked(query).mock.calls.length).toBe(queries);
  await store.append(documents.slice(100));
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await worker.stop();
});

test('an insert ends the rest of an idle worker', async () => {
  await store.append(documents.slice(0, 100));
  const betweenBatches = vi.fn(async () => false);
  const worker = startRollUpWorker(store, { log, stats, intervalMs: 5, restMs: 600_000, betweenBatches });
  await expect.poll(() => readRollUpWatermark(store)).toBe(documents[99]?.seq);
  await store.append(documents.slice(100));
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await worker.stop();
});

test('a worker that is stopped in its last step before a rest does not rest', async () => {
  await new Promise<void>((resolve) => {
    const betweenBatches = async () => {
      resolve(worker.stop());
      return false;
    };
    const worker = startRollUpWorker(store, { log, stats, intervalMs: 5, restMs: 600_000, betweenBatches });
  });
});

test('documents whose roll-up failed are rolled up by the next try, although no later ones arrive', async () => {
  await store.append(documents);
  const insert = vi.fn(store.insert).mockRejectedValueOnce(new Error('the engine is restarting'));
  const failing = vi.fn();
  const worker = startRollUpWorker(
    { ...store, insert },
    { log: { ...log, warn: failing }, stats, intervalMs: 5, restMs: 600_000, retryMs: 5 },
  );
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await worker.stop();
  expect(failing.mock.calls).toEqual([[{ reason: 'the engine is restarting' }, expect.stringContaining('retried')]]);
});

test('a check ends while documents arrive all the time', async () => {
  const seqs = documents.map(({ seq }) => seq);
  let arrived = 1;
  await store.append(documents.slice(0, 3));
  // Each look at the bound finds another document behind it.
  const lowWatermark = () => seqs[arrived++];
  const bounds: (number | undefined)[] = [];
  const betweenBatches = async () => bounds.push(await readRollUpWatermark(store)) === 0;
  const bounded = { ...store, lowWatermark };
  const worker = startRollUpWorker(bounded, { log, stats, intervalMs: 60_000, betweenBatches });
  await expect.poll(() => bounds).toEqual([seqs[1]]);
  await worker.stop();
});

test('the roll-up of days that retention has dropped is deleted', async () => {
  await store.append(documents);
  const pruned: Store = {
    ...store,
    statistics: () => ({ ...store.statistics(), droppedBeforeUs: START_US + SPREAD_US / 2 }),
  };
  const first = startRollUpWorker(store, { log, stats, intervalMs: 5 });
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await first.stop();
  const worker = startRollUpWorker(pruned, { log, stats, intervalMs: 5 });
  const firstPeriodEnd = async () => {
    const [row] = await store.query<{ first: number }>(
      sql`SELECT min(ends_us) AS first FROM service_map WHERE period_s = 60`,
    );
    return row?.first;
  };
  await expect.poll(firstPeriodEnd).toBeGreaterThan(START_US + SPREAD_US / 2);
  await worker.stop();
  expect(await readRollUpWatermark(store)).toBe(lastSeq);
});

async function newest(from: Store): Promise<readonly TraceSummary[]> {
  const found: TraceSummary[] = [];
  // Some start before all others.
  const window = { ...everything, fromUs: everything.fromUs - 86_400e6 };
  const query = { window, timeRangeType: 'TraceId' as const, filter: undefined };
  for await (const { summary } of findTraces(from, query)) found.push(summary);
  return found;
}

test('a store that was rolled up without summaries gets them, and lists are the same before and after', async () => {
  await store.append(documents);
  while (await rollUp(store, { toSeq: lastSeq }));
  // As an earlier version leaves it.
  await store.command(sql`TRUNCATE TABLE trace_summaries`);
  await store.command(sql`TRUNCATE TABLE objects`);
  const before = await newest(store);
  expect(before.length).toBe(subjectsOf(documents).length);
  expect(await fillSummaries(store, { tracesPerStep: 7 })).toBe(7);
  expect((await readSummaryState(store, {})).isFilled).toBe(false);
  expect(await newest(store)).toEqual(before);
  const info = vi.fn();
  const worker = startRollUpWorker(store, { log: { ...log, info }, stats: newStats(), intervalMs: 5 });
  await expect.poll(async () => (await readSummaryState(store, {})).isFilled).toBe(true);
  await worker.stop();
  const [row] = await store.query<{ traces: number }>(sql`SELECT count() AS traces FROM trace_summaries FINAL`);
  expect(row?.traces).toBe(before.length);
  expect(await newest(store)).toEqual(before);
});

test('a list reads no document of traces that are rolled up', async () => {
  await store.append(documents);
  while (await rollUp(store, { toSeq: lastSeq }));
  const statements: string[] = [];
  const query: Store['query'] = (statement, options) => {
    statements.push(renderSql(statement).query);
    return store.query(statement, options);
  };
  const listed = await newest({ ...store, query });
  expect(listed.length).toBe(subjectsOf(documents).length);
  expect(statements.filter((text) => text.includes('format, body'))).toEqual([]);
});
