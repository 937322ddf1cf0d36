import { ALL_TIMES, isEmpty, lastUsOf, splitAfter, splitBefore, type TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import {
  byDurationSql,
  byRowValueSql,
  byStartSql,
  type CandidateRow,
  newestRowsSql,
  type Search,
  seedSql,
  traceStartsSql,
} from './candidates.ts';
import { type Prefilter, type Seed, seedsOf, textsPrefilter, withoutEmptySeeds } from './prefilter.ts';
import { compareSortKeys, type ListOrder, type SortKey } from './sort-key.ts';

/*
 * How a list of traces is found. This file scans for candidates; a candidate is a trace that may match.
 *
 *   filter expression
 *      | filter-pushdown.ts: SQL conditions that hold for every matching trace
 *      v
 *   prefilter --- seeds (conditions on single rows)
 *      |
 *      v
 *   probeSeeds: do the seeds find at most `sortInMemoryMax` traces?     (newest first, by a name alone: scanNewestOf)
 *      | yes                          | no, or the prefilter has no seeds
 *      v                              v
 *   scanProbedCandidates           scanWithValue, then scanWithoutValue:
 *      all of them, or              slices of the window by sort key, in the order of the list, e.g. newest first:
 *      batches by start
 *      |                              newest |-1-|---2---|------------3------------| oldest
 *      |                              | a slice with few candidates makes the next one longer
 *      +--------------+---------------+
 *                     v
 *   CandidateBatch { traceIds, until: the sort key through which the batches are complete }
 *      |
 *      | find-traces.ts
 *      v
 *   loadTraces -> isInWindow, matches (decide) -> sortKeyOf -> sort -> yield the traces through `until`
 *      |
 *      | trace-summaries.ts
 *      v
 *   page; the sort key of its last trace is the keyset cursor (`after`) of the next page
 */

/**
 * Candidates that come next in a list. This batch and those before it contain every trace that sorts before or at
 * `until`; without `until` they contain every trace.
 */
export type CandidateBatch = { readonly traceIds: readonly TraceId[]; readonly until: SortKey | undefined };

export type ScanOptions = QueryOptions & {
  /** Approximate number of traces that the caller takes. */
  readonly batchSize: number;
  /** Up to this many candidates, all are loaded and sorted in memory, in any order. */
  readonly sortInMemoryMax: number;
};

/** Width of the first slice. Later slices adapt to the number of candidates found, bounded by SLICE_GROWTH. */
const FIRST_SLICE_US = 15_000_000;
const SLICE_GROWTH = 16;
const LARGEST_BATCH = 1_000;

/** A candidate, and the start of one of its entities. The trace starts then or earlier. */
export type Candidate = { readonly traceId: TraceId; readonly knownStartUs: number };

type ProbeResult =
  | { readonly candidates: readonly Candidate[] }
  | { readonly candidates: undefined; readonly search: Search };

/**
 * The candidates, when an index shows that there are at most `sortInMemoryMax`. Otherwise the search, without the seeds
 * that found no row.
 */
export async function probeSeeds(store: Store, search: Search, options: ScanOptions): Promise<ProbeResult> {
  const { prefilter } = search;
  const seeds = prefilter && seedsOf(prefilter);
  if (prefilter === undefined || seeds === undefined) return { candidates: undefined, search };
  const probed = (await Promise.all(groupsOf(seeds).map((group) => probeGroup(store, search, group, options)))).flat();
  const starts = new Map<TraceId, number>();
  for (const { rows } of probed) {
    for (const { trace_id: id, key } of rows) starts.set(id, Math.min(key, starts.get(id) ?? key));
  }
  if (starts.size <= options.sortInMemoryMax) {
    return { candidates: Array.from(starts, ([traceId, knownStartUs]) => ({ traceId, knownStartUs })) };
  }
  const empty = new Set<Prefilter>(probed.flatMap(({ seed, rows }) => (rows.length === 0 ? [seed.on] : [])));
  return { candidates: undefined, search: { ...search, prefilter: withoutEmptySeeds(prefilter, empty) } };
}

/** Seeds that are probed with one query: `on` holds for the rows of all. */
type SeedGroup = { readonly on: Seed['on']; readonly seeds: readonly Seed[] };

/** One group of all texts, since their index finds all of them at once. */
function groupsOf(seeds: readonly Seed[]): readonly SeedGroup[] {
  const texts = seeds.flatMap(({ on }) => on.texts ?? []);
  const ofTexts = seeds.filter(({ on }) => on.texts !== undefined);
  const others = seeds.filter(({ on }) => on.texts === undefined).map((seed) => ({ on: seed.on, seeds: [seed] }));
  return ofTexts.length === 0 ? others : [{ on: textsPrefilter(texts), seeds: ofTexts }, ...others];
}

type ProbedSeed = { readonly seed: Seed; readonly rows: readonly CandidateRow[] };

/**
 * The traces of the seeds, `sortInMemoryMax + 1` of each at most. Their other conditions are applied at once if they are
 * names: the rows of a name are read by the primary key. Else only when the seeds alone find more traces than a batch: a
 * query of rows then takes less time than to load a batch.
 */
async function probeGroup(
  store: Store,
  search: Search,
  { on, seeds }: SeedGroup,
  { sortInMemoryMax, batchSize, ...options }: ScanOptions,
): Promise<readonly ProbedSeed[]> {
  const rowsOf = (seed: Seed, max: number) => store.query<CandidateRow>(seedSql(search, seed, max + 1), options);
  const others = seeds.flatMap(({ also }) => also);
  const isByNames = on.texts === undefined && others.every((part) => part.kind === 'entity' && part.name !== undefined);
  if (others.length === 0 || !isByNames) {
    const max = others.length > 0 ? Math.min(batchSize, sortInMemoryMax) : sortInMemoryMax;
    const rows = await rowsOf({ on, also: [] }, max);
    if (others.length === 0 || rows.length <= batchSize) return seeds.map((seed) => ({ seed, rows }));
  }
  return Promise.all(seeds.map(async (seed) => ({ seed, rows: await rowsOf(seed, sortInMemoryMax) })));
}

/** One batch of all candidates. Only the order by start is known without loading them: it makes several batches. */
export async function* scanProbedCandidates(
  store: Store,
  candidates: readonly Candidate[],
  order: ListOrder,
  after: SortKey | undefined,
  { batchSize, ...options }: ScanOptions,
): AsyncGenerator<CandidateBatch> {
  const traceIds = candidates.map(({ traceId }) => traceId);
  if (order.by !== 'start' || traceIds.length <= batchSize) {
    yield { traceIds, until: undefined };
  } else if (order.isDescending && after === undefined) {
    yield* scanByLatestStart(candidates, batchSize);
  } else {
    const rows = await store.query<CandidateRow>(traceStartsSql(traceIds), options);
    const sortKeys = rows
      .map(sortKeyOfRow)
      .filter((sortKey) => after === undefined || compareSortKeys(order, sortKey, after) > 0)
      .sort((a, b) => compareSortKeys(order, a, b));
    for (let first = 0; first < sortKeys.length; first += batchSize) {
      const batch = sortKeys.slice(first, first + batchSize);
      yield { traceIds: batch.map(({ traceId }) => traceId as TraceId), until: batch.at(-1) };
    }
  }
}

/**
 * Batches are this much larger than a page: some of their traces start earlier than traces of later batches, and of the
 * rows of traces some are older versions or belong to open traces.
 */
export const LATEST_BATCH_FACTOR = 1.1;

/**
 * Newest first without a query for the starts: no trace starts later than any of its entities. `until`: the sort key
 * through which the candidates are complete.
 */
function* scanByLatestStart(
  candidates: readonly Candidate[],
  batchSize: number,
  until?: SortKey,
): Generator<CandidateBatch> {
  const latest = [...candidates].sort((a, b) => b.knownStartUs - a.knownStartUs);
  const size = Math.ceil(batchSize * LATEST_BATCH_FACTOR);
  for (let first = 0; first < latest.length; first += size) {
    const traceIds = latest.slice(first, first + size).map(({ traceId }) => traceId);
    const next = latest[first + size];
    yield { traceIds, until: next ? startingAfter(next.knownStartUs) : until };
  }
}

/** A sort key after all traces that start later, newest first. */
function startingAfter(startUs: number): SortKey {
  const [, later] = splitAfter(ALL_TIMES, startUs);
  return endOfSlice(later, true);
}

/** A trace of a service has about this many rows with its name. */
const ROWS_OF_TRACE = 3;

/**
 * Newest first, all traces with a row of the name: no trace starts later than any of its entities. Reads no other rows
 * than the newest ones of that name.
 */
export async function* scanNewestOf(
  store: Store,
  search: Search,
  name: string,
  { batchSize, ...options }: ScanOptions,
): AsyncGenerator<CandidateBatch> {
  const seen = new Set<TraceId>();
  let limit = Math.ceil(batchSize * LATEST_BATCH_FACTOR) * ROWS_OF_TRACE;
  let lastUs: number | undefined;
  for (;;) {
    const rows = await store.query<CandidateRow>(newestRowsSql(search, name, lastUs, limit), options);
    const lastRow = rows.at(-1);
    const candidates: Candidate[] = [];
    for (const { trace_id: traceId, key: knownStartUs } of rows) {
      if (!seen.has(traceId)) candidates.push({ traceId, knownStartUs });
      seen.add(traceId);
    }
    const isLast = rows.length < limit || lastRow === undefined;
    yield* scanByLatestStart(candidates, batchSize, isLast ? undefined : startingAfter(lastRow.key));
    if (isLast) return;
    // Rows that start at the same time may be more than the limit.
    if (candidates.length < batchSize) limit *= 2;
    lastUs = lastRow.key;
  }
}

/** Candidates that have a value for the order. */
export function scanWithValue(
  store: Store,
  search: Search,
  order: ListOrder,
  after: SortKey | undefined,
  options: ScanOptions,
): AsyncGenerator<CandidateBatch> {
  const { by, isDescending } = order;
  switch (by) {
    case 'start':
      return scanSlices(store, order, startKeyRange(search), after, options, (slice, from, limit) =>
        byStartSql(search, { slice, isDescending, after: from, limit, withoutValueFor: undefined }),
      );
    case 'updated':
    case 'ended':
      return scanSlices(store, order, windowKeyRange(search.window), after, options, (slice, from, limit) =>
        byRowValueSql(search, by, { slice, isDescending, after: from, limit }),
      );
    case 'responsetime':
      return scanSlices(store, order, wholeKeyRange(ALL_TIMES), after, options, (slice, from, limit) =>
        byRowValueSql(search, by, { slice, isDescending, after: from, limit }),
      );
    case 'duration':
      // SQL sorts by a bound of the duration: a trace after the cursor may have a bound before it. So each page begins
      // at the start of the list.
      return scanSlices(store, order, wholeKeyRange(ALL_TIMES), undefined, options, (_, from, limit) =>
        byDurationSql(search, { isDescending, after: from, limit }),
      );
  }
}

/** Candidates that may have no value for the order, newest first. */
export function scanWithoutValue(
  store: Store,
  search: Search,
  { by }: ListOrder,
  after: SortKey | undefined,
  options: ScanOptions,
): AsyncGenerator<CandidateBatch> {
  return scanSlices(
    store,
    { by: 'start', isDescending: true },
    startKeyRange(search),
    after && { ...after, part: 'valued' },
    options,
    (slice, from, limit) => byStartSql(search, { slice, isDescending: true, after: from, limit, withoutValueFor: by }),
    (sortKey) => ({ ...sortKey, part: 'rest' }),
  );
}

/** An interval of keys, and the width of its first slice. */
type KeyRange = TimeInterval & { readonly firstSliceUs: number };

/** Few traces lie in the future: the first slice of a window that ends there also covers the latest FIRST_SLICE_US. */
function windowKeyRange(window: TimeInterval): KeyRange {
  const futureUs = Math.max(0, window.toUs - Date.now() * 1000);
  return { ...window, firstSliceUs: FIRST_SLICE_US + futureUs };
}

const wholeKeyRange = (range: TimeInterval): KeyRange => ({ ...range, firstSliceUs: range.toUs - range.fromUs });

/** Only a window of starts bounds the starts of traces. */
function startKeyRange({ window, timeRangeType }: Search): KeyRange {
  return timeRangeType === 'TraceId' ? windowKeyRange(window) : wholeKeyRange(ALL_TIMES);
}

/**
 * Scans an interval of keys slice by slice, in the order of the list. A slice with few candidates makes the next one
 * longer: an interval without traces takes few queries, and a dense one is read only as far as needed.
 */
async function* scanSlices(
  store: Store,
  { isDescending }: ListOrder,
  { fromUs, toUs, firstSliceUs }: KeyRange,
  after: SortKey | undefined,
  { batchSize, ...options }: ScanOptions,
  statementOf: (slice: TimeInterval, after: SortKey | undefined, limit: number) => Sql,
  untilOf: (sortKey: SortKey) => SortKey = (sortKey) => sortKey,
): AsyncGenerator<CandidateBatch> {
  let remaining: TimeInterval = { fromUs, toUs };
  let last = after;
  let sliceUs = firstSliceUs;
  let limit = batchSize;
  // One batch of several slices: loading more traces at once takes less time a trace.
  let gathered: TraceId[] = [];
  while (!isEmpty(remaining)) {
    if (last !== undefined) {
      // Other traces with the key of the last one may follow it.
      remaining = isDescending ? splitAfter(remaining, last.key)[0] : splitBefore(remaining, last.key)[1];
    }
    const { slice, rest } = nextSlice(remaining, sliceUs, isDescending);
    const wanted = limit - gathered.length;
    const rows = await store.query<CandidateRow>(statementOf(slice, last, wanted), options);
    const isFull = rows.length === wanted;
    const lastRow = rows.at(-1);
    const end = isFull && lastRow !== undefined ? sortKeyOfRow(lastRow) : endOfSlice(slice, isDescending);
    gathered.push(...rows.map((row) => row.trace_id));
    if (isFull || gathered.length >= batchSize || isEmpty(rest)) {
      yield { traceIds: [...new Set(gathered)], until: untilOf(end) };
      gathered = [];
    }
    if (isFull) {
      limit = Math.min(limit * 2, LARGEST_BATCH);
      last = end;
    } else {
      last = undefined;
      remaining = rest;
      // 1.5 times the width that fills a batch, should the next slice be as dense as this one.
      const needed = (1.5 * batchSize) / Math.max(rows.length, batchSize / SLICE_GROWTH);
      sliceUs *= Math.ceil(Math.max(1, Math.min(needed, SLICE_GROWTH)));
    }
  }
}

function nextSlice(
  remaining: TimeInterval,
  sliceUs: number,
  isDescending: boolean,
): { readonly slice: TimeInterval; readonly rest: TimeInterval } {
  if (isDescending) {
    const [rest, slice] = splitBefore(remaining, remaining.toUs - sliceUs);
    return { slice, rest };
  }
  const [slice, rest] = splitBefore(remaining, remaining.fromUs + sliceUs);
  return { slice, rest };
}

/** A sort key after all traces of the slice and before all others: '' sorts before each trace id, 'g' after each. */
function endOfSlice(slice: TimeInterval, isDescending: boolean): SortKey {
  return isDescending
    ? { part: 'valued', key: slice.fromUs, traceId: '' }
    : { part: 'valued', key: lastUsOf(slice), traceId: 'g' };
}

function sortKeyOfRow({ key, trace_id: traceId }: CandidateRow): SortKey {
  return { part: 'valued', key, traceId };
}
