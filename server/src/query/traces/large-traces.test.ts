import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseFilter } from '../../filter/parser.ts';
import type { Document } from '../../model/entity.ts';
import { summariseTrace } from '../../model/summarise.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { anEntity, entityIdOf, traceIdOf } from '../../store/testing/documents.ts';
import { STORES, type StoreLocation } from '../../store/testing/stores.ts';
import { assembledTraces, documentGroups } from './load-traces.ts';
import { loadTraceParts, type PartPosition } from './trace-parts.ts';
import { findTraceSummaries, traceSummary } from './trace-summaries.ts';

const BOUNDS = { documents: 50, bytes: 60_000 };
const START_US = 1_790_000_000_000_000;
const SEQ = START_US + 10_000_000;

/** A segment of 10 ms with two subsegments and about 1 KB of text. */
function document(trace: number, number: number, seq: number, padding = 800): Document {
  const traceId = traceIdOf(trace);
  const id = entityIdOf(trace * 100_000 + number * 3 + 1);
  const startUs = START_US + trace * 1_000_000 + number * 1_000;
  const isRoot = number === 0;
  const entity = anEntity({
    traceId,
    id,
    ...(!isRoot && { parentId: entityIdOf(trace * 100_000 + 1) }),
    name: isRoot ? 'shop' : `worker ${number % 3}`,
    startUs,
    endUs: startUs + 10_000,
    isFault: number === 7,
    outcome: number === 7 ? 'fault' : 'ok',
    annotations: { tier: number % 2 === 0 ? 'gold' : 'silver', ...(number === 60 && { late: true }) },
    user: `user ${number % 2}`,
  });
  const fields = {
    trace_id: `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`,
    id,
    ...(!isRoot && { parent_id: entity.parentId }),
    name: entity.name,
    start_time: startUs / 1e6,
    end_time: (startUs + 10_000) / 1e6,
    ...(entity.isFault && { fault: true }),
    annotations: entity.annotations,
    user: entity.user,
    padding: 'x'.repeat(padding),
  };
  return { format: 'xray', traceId, id, seq, text: JSON.stringify(fields), entities: [entity] };
}

const SMALL = 1;
const MANY_DOCUMENTS = 2;
const MANY_BYTES = 3;
const REPEATED = 4;

const documents: readonly Document[] = [
  ...Array.from({ length: 5 }, (_, at) => document(SMALL, at, SEQ + at)),
  ...Array.from({ length: 120 }, (_, at) => document(MANY_DOCUMENTS, at, SEQ + 1_000 + at, 10)),
  ...Array.from({ length: 20 }, (_, at) => document(MANY_BYTES, at, SEQ + 2_000 + at, 9_000)),
  ...Array.from({ length: 40 }, (_, at) => document(REPEATED, at % 4, SEQ + 3_000 + at, 1_000)),
];

describe.each([0, 2])('on store %i', (kind) => {
  let location: StoreLocation;
  let store: Store;

  beforeAll(async () => {
    location = await (STORES[kind] as (typeof STORES)[number]).make();
    store = await location.open({ traceBounds: BOUNDS });
    await store.append(documents);
  }, 60_000);

  afterAll(async () => {
    await store.close();
    await location.remove();
  });

  async function load(...traces: readonly number[]) {
    const groups: { readonly documents: number; readonly bytes: number; readonly exceeding: number }[] = [];
    const loaded: Trace[] = [];
    for await (const group of documentGroups(store, traces.map(traceIdOf))) {
      const all = [...group.documents.values()].flat();
      const bytes = all.reduce((sum, { text }) => sum + text.length, 0);
      groups.push({ documents: all.length, bytes, exceeding: group.exceeding.size });
      loaded.push(...assembledTraces(group));
    }
    return { groups, loaded };
  }

  test('every group of documents is within the bounds, in the order of the ids', async () => {
    const { groups, loaded } = await load(SMALL, MANY_DOCUMENTS, REPEATED, MANY_BYTES, 99);
    for (const { documents, bytes } of groups) {
      expect(documents).toBeLessThanOrEqual(BOUNDS.documents);
      expect(bytes).toBeLessThanOrEqual(BOUNDS.bytes);
    }
    expect(loaded.map(({ id }) => id)).toEqual([SMALL, MANY_DOCUMENTS, REPEATED, MANY_BYTES].map(traceIdOf));
    expect(groups.map(({ exceeding }) => exceeding)).toEqual([0, 1, 0, 1]);
  });

  test('exact repeats stay in the store when documents are read in groups', async () => {
    const { groups, loaded } = await load(REPEATED, SMALL, MANY_BYTES);
    expect(groups[0]).toMatchObject({ documents: 4 + 5 });
    expect(loaded[0]).toMatchObject({ revision: 4, updatedUs: SEQ + 3_003 });
  });

  async function partsOf(ids: readonly TraceId[]) {
    const pages: (readonly (readonly [TraceId, number, boolean])[])[] = [];
    const seqs: number[] = [];
    let from: PartPosition | undefined;
    do {
      const { parts, next } = await loadTraceParts(store, ids, from, {});
      pages.push(parts.map((part) => [part.traceId, part.documents.length, part.isWhole] as const));
      seqs.push(...parts.flatMap((part) => part.documents.map(({ seq }) => seq)));
      from = next;
    } while (from !== undefined);
    return { pages, seqs };
  }

  test('the parts of traces have each document once, in the order of arrival', async () => {
    const ids = [SMALL, MANY_DOCUMENTS, MANY_BYTES].map(traceIdOf);
    const { pages, seqs } = await partsOf(ids);
    expect(seqs).toEqual(documents.filter(({ traceId }) => ids.includes(traceId)).map(({ seq }) => seq));
    expect(pages[0]).toEqual([[traceIdOf(SMALL), 5, true]]);
    expect(pages.slice(1, 4).flat()).toEqual([50, 50, 20].map((count) => [traceIdOf(MANY_DOCUMENTS), count, false]));
  });

  test('traces that fit together are one page, also with an unknown id behind them', async () => {
    const { pages } = await partsOf([SMALL, 99].map(traceIdOf));
    expect(pages).toEqual([[[traceIdOf(SMALL), 5, true]]]);
  });

  /** The summary of all documents, by the pure functions. */
  async function wholeSummary(trace: number): Promise<TraceSummary> {
    const unbounded: Store = Object.create(store, { traceBounds: { value: { documents: 1e6, bytes: 1e9 } } });
    for await (const group of documentGroups(unbounded, [traceIdOf(trace)])) {
      const [whole] = assembledTraces(group);
      if (whole) return summariseTrace(whole);
    }
    throw new Error('unknown trace');
  }

  test.each([MANY_DOCUMENTS, MANY_BYTES])('the summary of large trace %i is made from its rows', async (trace) => {
    const summary = await traceSummary(store, traceIdOf(trace), {});
    const whole = await wholeSummary(trace);
    const { annotations, users, rootCauses, revision, ...rest } = { ...whole, limitExceeded: true };
    expect(summary).toMatchObject(rest);
    expect([...(summary?.users ?? [])].sort()).toEqual([...users].sort());
    for (const [key, values] of Object.entries(annotations)) {
      expect([...(summary?.annotations[key] ?? [])].sort()).toEqual([...values].sort());
    }
  });

  async function found(expression: string): Promise<readonly string[]> {
    const window = { fromUs: START_US - 1_000_000, toUs: START_US + 100_000_000 };
    const filter = expression === '' ? undefined : parseFilter(expression);
    const { summaries } = await findTraceSummaries(store, { window, timeRangeType: 'TraceId', filter, pageSize: 10 });
    return summaries.map(({ id }) => id);
  }

  test.each([
    ['', [REPEATED, MANY_BYTES, MANY_DOCUMENTS, SMALL]],
    ['ORDER BY duration DESC', [MANY_DOCUMENTS, MANY_BYTES, SMALL, REPEATED]],
    ['annotation.late = true', [MANY_DOCUMENTS]],
    ['service("worker 2") { fault = false }', [REPEATED, MANY_BYTES, MANY_DOCUMENTS, SMALL]],
    ['user = "user 1" AND NOT service("nowhere")', [REPEATED, MANY_BYTES, MANY_DOCUMENTS, SMALL]],
  ])('lists contain large traces: %s', async (expression, expected) => {
    expect(await found(expression)).toEqual(expected.map(traceIdOf));
  });

  test('a new document of a large trace changes its summary', async () => {
    const before = await traceSummary(store, traceIdOf(MANY_DOCUMENTS), {});
    const late = document(MANY_DOCUMENTS, 500, SEQ + 9_000);
    await store.append([late]);
    const after = await traceSummary(store, traceIdOf(MANY_DOCUMENTS), {});
    expect(after?.segmentCount).toBe((before?.segmentCount ?? 0) + 1);
    expect(after?.updatedUs).toBe(SEQ + 9_000);
  });
});

test('a list over a large trace reads about as many bytes as one without it', async () => {
  const location = await (STORES[0] as (typeof STORES)[number]).make();
  const store = await location.open({ traceBounds: { documents: 1_000, bytes: 1_000_000 } });
  await store.append(Array.from({ length: 100 }, (_, at) => document(SMALL + at, 0, SEQ + at)));
  const window = { fromUs: START_US, toUs: START_US + 1_000_000_000 };
  let readBytes = 0;
  const measured: Store = Object.create(store, {
    query: {
      value: async (statement: Parameters<Store['query']>[0], options: Parameters<Store['query']>[1]) => {
        const rows = await store.query(statement, options);
        readBytes += JSON.stringify(rows).length;
        return rows;
      },
    },
  });
  const bytesOfList = async () => {
    readBytes = 0;
    const query = { window, timeRangeType: 'TraceId', filter: undefined, pageSize: 200 } as const;
    const { summaries } = await findTraceSummaries(measured, query);
    return { bytes: readBytes, traces: summaries.length };
  };
  const without = await bytesOfList();
  for (let at = 0; at < 20; at++) {
    await store.append(
      Array.from({ length: 100 }, (_, own) => document(300, at * 100 + own, SEQ + 5_000 + at * 100 + own, 20_000)),
    );
  }
  const first = await bytesOfList();
  const again = await bytesOfList();
  expect(first.traces).toBe(without.traces + 1);
  // The large trace has 40 MB of documents.
  expect(first.bytes).toBeLessThan(without.bytes + 1_000_000);
  expect(again.bytes).toBeLessThan(1.2 * without.bytes + 1_000);
  expect(await store.query(sql`SELECT sum(length(body)) > 40000000 AS is_large FROM documents`)).toEqual([
    { is_large: 1 },
  ]);
  await store.close();
  await location.remove();
}, 60_000);
