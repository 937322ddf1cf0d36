import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { referenceServiceGraph } from '../testing/service-graph/testing/reference-service-graph.ts';
import { visibleGraph } from '../testing/service-graph/testing/visible-graph.ts';
import { receivedDocuments, SPREAD_US, START_US, subjectsOf } from '../testing/testing/received-documents.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';
import { startRollUpWorker } from './roll-up-worker.ts';
import { serviceGraphOf } from './service-graph.ts';

let store: Store;
let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
const log = { info: () => undefined, warn: vi.fn() };
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

test('documents are counted soon after they are stored, those of an old store first', async () => {
  await store.append(documents.slice(0, 100));
  const rolling = startRollUpWorker(store, { log, intervalMs: 5 });
  await expect.poll(() => readRollUpWatermark(store)).toBe(documents[99]?.seq);
  await store.append(documents.slice(100));
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await rolling.stop();
  const subjects = subjectsOf(documents);
  const whole = referenceServiceGraph(subjects, subjects, everything);
  expect(visibleGraph(await serviceGraphOf(store, { window: everything, filter: undefined }))).toEqual(
    visibleGraph(whole),
  );
  expect(log.warn).not.toHaveBeenCalled();
});

test('what has just arrived waits, since something before it may not be stored yet', async () => {
  await store.append(documents);
  const query = vi.fn(store.query) as typeof store.query;
  const rolling = startRollUpWorker({ ...store, query }, { log, intervalMs: 5, watermarkDelayMs: Date.now() });
  await expect.poll(() => vi.mocked(query).mock.calls.length).toBeGreaterThan(10);
  await rolling.stop();
  expect(await readRollUpWatermark(store)).toBe(0);
});

test('sums of times that retention has dropped go, too', async () => {
  await store.append(documents);
  const pruned: Store = {
    ...store,
    statistics: () => ({ ...store.statistics(), droppedBeforeUs: START_US + SPREAD_US / 2 }),
  };
  const first = startRollUpWorker(store, { log, intervalMs: 5 });
  await expect.poll(() => readRollUpWatermark(store)).toBe(lastSeq);
  await first.stop();
  const rolling = startRollUpWorker(pruned, { log, intervalMs: 5 });
  const firstSum = async () => {
    const [row] = await store.query<{ first: number }>(
      sql`SELECT min(ends_us) AS first FROM service_map WHERE period_s = 60`,
    );
    return row?.first;
  };
  await expect.poll(firstSum).toBeGreaterThan(START_US + SPREAD_US / 2);
  await rolling.stop();
  expect(await readRollUpWatermark(store)).toBe(lastSeq);
});
