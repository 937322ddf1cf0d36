import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEntitySelector } from '../../filter/entity-selector.ts';
import type { Document } from '../../model/entity.ts';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { TRACE_BOUNDS } from '../../store/trace-bounds.ts';
import { receivedDocuments, SPREAD_US, START_US, subjectsOf } from '../testing/received-documents.ts';
import { STORED_SUMMARY, type StoredSummary, subjectFromStored } from '../traces/stored-summaries.ts';
import { readSummaryState } from '../traces/summary-state.ts';
import { rollUp } from './roll-up.ts';
import { newRollUpProgress, type RollUpProgress } from './roll-up-progress.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';
import { serviceGraphOf } from './service-graph.ts';
import { referenceServiceGraph } from './testing/reference-service-graph.ts';
import { referenceTimeSeries } from './testing/reference-time-series.ts';
import { visibleGraph } from './testing/visible-graph.ts';
import { serviceTimeSeries } from './time-series.ts';

const RUNS = Number(process.env.ORACLE_RUNS ?? 8);
const SEED = Number(process.env.ORACLE_SEED ?? 1);
const TIMEOUT_MS = 60_000 + RUNS * 20_000;

let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
let whole: Store;

beforeAll(async () => {
  directory = await makeTestDirectory();
  whole = await openTestStore(directory.path);
});

afterAll(async () => {
  await whole.close();
  await directory.remove();
});

/** A batch inserts the rows of its traces first, then the sums. */
type Crash = 'before the rows' | 'before the sums' | 'after the sums';
/** A step in the life of a store. */
type Step =
  | { readonly kind: 'append'; readonly count: number }
  /** Removes the documents through the one with this index from memory. */
  | { readonly kind: 'evict'; readonly index: number }
  | { readonly kind: 'roll'; readonly batchDocuments: number }
  | { readonly kind: 'two servers roll'; readonly batchDocuments: number }
  | { readonly kind: 'crash'; readonly when: Crash; readonly batchDocuments: number }
  | { readonly kind: 'graph'; readonly fromUs: number; readonly toUs: number }
  | { readonly kind: 'series'; readonly fromUs: number; readonly toUs: number; readonly selector: string | undefined };

const batchDocuments = fc.integer({ min: 1, max: 120 });
const second = fc.integer({ min: -10, max: SPREAD_US / 1e6 + 10 }).map((seconds) => START_US + seconds * 1_000_000);
const minute = fc
  .integer({ min: 0, max: SPREAD_US / 60e6 })
  .map((minutes) => Math.ceil(START_US / 60e6 + minutes) * 60e6);
const DOCUMENTS = receivedDocuments(120, 77);
/** The end of an entity, or a microsecond before or after it. */
const end = fc
  .tuple(
    fc.constantFrom(...DOCUMENTS.flatMap(({ entities }) => entities.flatMap(({ endUs }) => endUs ?? []))),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([endUs, offset]) => endUs + offset);
const timeUs = fc.oneof(second, minute, end, end);
const window = fc.tuple(timeUs, timeUs).map(([a, b]) => ({ fromUs: Math.min(a, b), toUs: Math.max(a, b) + 1 }));
const crash = fc.constantFrom<Crash>('before the rows', 'before the sums', 'after the sums');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('evict' as const), index: fc.nat(119) }),
  fc.record({ kind: fc.constant('roll' as const), batchDocuments }),
  fc.record({ kind: fc.constant('two servers roll' as const), batchDocuments }),
  fc.record({ kind: fc.constant('crash' as const), when: crash, batchDocuments }),
  window.map((within) => ({ kind: 'graph' as const, ...within })),
  fc
    .tuple(
      window,
      fc.constantFrom(undefined, 'service("shop")', 'service(id(type: "remote"))', 'edge("shop", "stock")'),
    )
    .map(([within, selector]) => ({ kind: 'series' as const, ...within, selector })),
);

test.each([
  ['of all documents', TRACE_BOUNDS],
  ['of the first documents of traces that exceed the bounds', { documents: 3, bytes: 2_000 }],
])(
  'service graphs, series and rows of traces are those %s, at any state of the roll-up',
  async (_, traceBounds) => {
    // Not a copy: the documents in memory move with the watermark.
    const store: Store = Object.create(whole, { traceBounds: { value: traceBounds } });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 24, size: 'max' }), async (steps) => {
        for (const table of ['documents', 'entities', 'service_map', 'trace_summaries'] as const)
          await truncate(store, table);
        const run = newRun();
        // The documents of the run before are deleted.
        store.recent.evict((run.documents[0] as Document).seq - 1);
        let arrived: readonly Document[] = [];
        for (const each of steps) {
          arrived = await runStep(store, each, arrived, run);
          if (each.kind === 'roll' || each.kind === 'crash') await expectRows(store, arrived);
        }
        while (await rollUp(store, { toSeq: Number.MAX_SAFE_INTEGER, batchDocuments: 50, progress: run.progress }));
        const all = { fromUs: START_US - 60e6, toUs: START_US + 2 * SPREAD_US };
        await runStep(store, { kind: 'graph', ...all }, arrived, run);
        expect(await readRollUpWatermark(store)).toBe(arrived.at(-1)?.seq ?? 0);
        await expectRows(store, arrived);
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    );
  },
  TIMEOUT_MS,
);

/** Documents of a run arrive after those of the run before, since the store has these in memory. */
type Run = { readonly documents: readonly Document[]; progress: RollUpProgress };
const RUN_US = 86_400_000_000;
let runs = 0;

function newRun(): Run {
  const laterUs = RUN_US * runs++;
  const documents = DOCUMENTS.map((document) => ({ ...document, seq: document.seq + laterUs }));
  return { documents, progress: newRollUpProgress(0) };
}

/** Does one step. Resolves to all documents that were appended so far. */
async function runStep(store: Store, each: Step, arrived: readonly Document[], run: Run): Promise<readonly Document[]> {
  const toSeq = Number.MAX_SAFE_INTEGER;
  switch (each.kind) {
    case 'append': {
      const more = run.documents.slice(arrived.length, arrived.length + each.count);
      await store.append(more);
      return [...arrived, ...more];
    }
    case 'evict':
      store.recent.evict(arrived[each.index]?.seq ?? 0);
      return arrived;
    case 'roll':
      await rollUp(store, { toSeq, batchDocuments: each.batchDocuments, progress: run.progress });
      return arrived;
    case 'two servers roll': {
      const options = { toSeq, batchDocuments: each.batchDocuments };
      await Promise.all([rollUp(store, options), rollUp(store, options)]);
      run.progress = newRollUpProgress(toSeq);
      return arrived;
    }
    case 'crash': {
      const { progress } = run;
      const { batchDocuments } = each;
      await rollUp(crashing(store, each.when), { toSeq, batchDocuments, progress }).catch(() => undefined);
      return arrived;
    }
    case 'graph': {
      const subjects = subjectsOf(arrived, store.traceBounds);
      const graph = await serviceGraphOf(store, { window: each, filter: undefined });
      expect(visibleGraph(graph)).toEqual(visibleGraph(referenceServiceGraph(subjects, subjects, each)));
      return arrived;
    }
    case 'series': {
      const selector = each.selector === undefined ? undefined : parseEntitySelector(each.selector);
      for (const periodUs of [60_000_000, 300_000_000]) {
        const query = { window: each, periodUs, selector };
        const graphs = subjectsOf(arrived, store.traceBounds).map(({ graph }) => graph);
        expect(await serviceTimeSeries(store, query)).toEqual(referenceTimeSeries(graphs, query));
      }
      return arrived;
    }
  }
}

/** A server that is killed before or after an insert takes effect. */
function crashing(store: Store, when: Crash): Store {
  const insert: Store['insert'] = async (block) => {
    const isKilledBefore = when === 'before the rows' || (when === 'before the sums' && block.table === 'service_map');
    if (!isKilledBefore) await store.insert(block);
    if (isKilledBefore || block.table === 'service_map') throw new Error('killed');
  };
  return Object.create(store, { insert: { value: insert } });
}

/** Each trace without documents after the watermark has one row: its summary, or the mark that no row decides. */
async function expectRows(store: Store, arrived: readonly Document[]): Promise<void> {
  const { rollUpWatermark, isFilled } = await readSummaryState(store, {});
  if (rollUpWatermark === 0) return;
  expect(isFilled).toBe(true);
  const rows = await store.query<StoredSummary>(sql`SELECT ${STORED_SUMMARY} FROM trace_summaries FINAL`);
  const later = new Set(arrived.filter(({ seq }) => seq > rollUpWatermark).map(({ traceId }) => traceId));
  const undecided = new Set(rows.filter((row) => row.start_us === 0).map((row) => row.trace_id));
  const decided = rows.filter(({ trace_id: id }) => !later.has(id) && !undecided.has(id));
  const expected = subjectsOf(arrived, store.traceBounds).filter(({ trace: { id } }) => !later.has(id));
  const summaries = new Map(decided.map((row) => [row.trace_id, subjectFromStored(row).summary]));
  expect(decided.length).toBe(summaries.size);
  for (const { summary } of expected) {
    if (!undecided.has(summary.id)) expect(summaries.get(summary.id)).toEqual(summary);
  }
  const known = new Set(expected.map(({ trace: { id } }) => id));
  expect([...summaries.keys()].filter((id) => !known.has(id))).toEqual([]);
  if (store.traceBounds === TRACE_BOUNDS) expect(undecided.size).toBe(0);
}

async function truncate(
  store: Store,
  table: 'documents' | 'entities' | 'service_map' | 'trace_summaries',
): Promise<void> {
  switch (table) {
    case 'documents':
      return store.command(sql`TRUNCATE TABLE documents`);
    case 'entities':
      return store.command(sql`TRUNCATE TABLE entities`);
    case 'service_map':
      return store.command(sql`TRUNCATE TABLE service_map`);
    case 'trace_summaries':
      return store.command(sql`TRUNCATE TABLE trace_summaries`);
  }
}
