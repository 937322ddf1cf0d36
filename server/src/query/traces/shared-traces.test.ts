import { afterAll, beforeAll, expect, test } from 'vitest';
import { aSegment, receivedTexts } from '../../model/testing/builders.ts';
import { formatTraceId, type TraceId } from '../../model/trace-id.ts';
import { renderSql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { traceIdOf } from '../../store/testing/documents.ts';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { newSharedTraces } from './shared-traces.ts';

let store: Store;
let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
const IDS: readonly TraceId[] = Array.from({ length: 250 }, (_, index) => traceIdOf(index + 1));

beforeAll(async () => {
  directory = await makeTestDirectory();
  store = await openTestStore(directory.path);
  const segments = IDS.map((id) => aSegment({ trace_id: formatTraceId(id) }));
  await store.append(receivedTexts(segments.map((segment) => JSON.stringify(segment))));
});

afterAll(async () => {
  await store.close();
  await directory.remove();
});

/** Counts the queries; fails each that asks for `refused`. */
function tracesOf(given: Partial<Store> = {}, refused?: TraceId) {
  const counts = { queries: 0 };
  const query: Store['query'] = async (statement, options) => {
    counts.queries += 1;
    const { params } = renderSql(statement);
    if (refused !== undefined && JSON.stringify(params).includes(refused)) throw new Error('too large');
    return store.query(statement, options);
  };
  return { counts, traces: newSharedTraces({ ...store, ...given, query }) };
}

test('callers share the queries of a hundred traces each', async () => {
  const { counts, traces } = tracesOf();
  const loaded = await Promise.all([...IDS, ...IDS].map(traces.load));
  expect(loaded.map((one) => one?.trace.id)).toEqual([...IDS, ...IDS]);
  expect(counts.queries).toBe(3);
  expect(loaded[0]).toBe(loaded[IDS.length]);
});

test('a trace is loaded again when it has changed, and after a release', async () => {
  const { counts, traces } = tracesOf();
  const [id = traceIdOf(1)] = IDS;
  const first = await traces.load(id);
  expect(await traces.load(id)).toBe(first);
  traces.invalidate([id]);
  expect(traces.isUnknown(id)).toBe(true);
  expect(await traces.load(id)).not.toBe(first);
  traces.clear();
  await traces.load(id);
  expect(counts.queries).toBe(3);
});

test('an unknown id has no trace', async () => {
  expect(await tracesOf().traces.load(traceIdOf(1_000_000))).toBeUndefined();
});

test('a trace that cannot be read fails alone, and the next call tries again', async () => {
  const refused = IDS[70] as TraceId;
  const { traces } = tracesOf({}, refused);
  const results = await Promise.allSettled(IDS.slice(0, 100).map(traces.load));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(results[70]).toMatchObject({ status: 'rejected', reason: { message: 'too large' } });
  expect(traces.isUnknown(refused)).toBe(true);
});

test('a shared store keeps no trace: another server may change it without a notification', async () => {
  const { counts, traces } = tracesOf({ isShared: true });
  const [id = traceIdOf(1)] = IDS;
  await Promise.all([traces.load(id), traces.load(id)]);
  expect(counts.queries).toBe(1);
  await traces.load(id);
  expect(counts.queries).toBe(2);
});
