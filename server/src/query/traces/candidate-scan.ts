import type { TraceId } from '../../model/trace-id.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import {
  byDurationSql,
  byRowValueSql,
  byStartSql,
  type CandidateRow,
  type Search,
  seedSql,
  traceStartsSql,
} from './candidates.ts';
import { seedPredicatesOf, withoutEmptySeeds } from './prefilter.ts';
import { compareSortKeys, type ListOrder, type SortKey } from './sort-key.ts';

/**
 * Traces that may be next in a list. Everything that stands before or at `until` is in this batch or in one before it;
 * without `until` everything is.
 */
export type CandidateBatch = { readonly traceIds: readonly TraceId[]; readonly until: SortKey | undefined };

export type ScanOptions = QueryOptions & {
  /** About how many traces the caller takes. */
  readonly batchSize: number;
  /** So few are looked at one by one, whatever the order. */
  readonly sortInMemoryMax: number;
};

/** The first look at a list goes this far; each that found too little tells how far the next has to go, within bounds. */
const FIRST_SLICE_US = 15_000_000;
const SLICE_GROWTH = 16;
const LARGEST_BATCH = 1_000;
const ALL_TIMES: TimeWindow = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/**
 * The candidates of a search where an index tells that there are few; otherwise the search, without the ways to find
 * something that have found nothing. One look that ends as soon as it has found too many.
 */
export async function probeSeeds(
  store: Store,
  search: Search,
  { sortInMemoryMax: few, ...options }: ScanOptions,
): Promise<{ readonly known: readonly Candidate[] } | { readonly known: undefined; readonly search: Search }> {
  const { prefilter: narrow } = search;
  const drivers = narrow && seedPredicatesOf(narrow);
  if (narrow === undefined || drivers === undefined) return { known: undefined, search };
  const statements = drivers.map((driver) => seedSql(search, driver, few + 1));
  const answers = await Promise.all(statements.map((statement) => store.query<CandidateRow>(statement, options)));
  const found = new Map<TraceId, number>();
  for (const { trace_id: id, key } of answers.flat()) found.set(id, Math.min(key, found.get(id) ?? key));
  if (found.size <= few) return { known: Array.from(found, ([traceId, knownStartUs]) => ({ traceId, knownStartUs })) };
  const empty = new Set(drivers.filter((_, index) => answers[index]?.length === 0));
  return { known: undefined, search: { ...search, prefilter: withoutEmptySeeds(narrow, empty) } };
}

/** A candidate, and a time at which something of it had started. */
type Candidate = { readonly traceId: TraceId; readonly knownStartUs: number };

/** Known candidates. Only an order by start can tell the first ones without looking at all of them. */
export async function* scanKnownCandidates(
  store: Store,
  known: readonly Candidate[],
  order: ListOrder,
  after: SortKey | undefined,
  { batchSize, ...options }: ScanOptions,
): AsyncGenerator<CandidateBatch> {
  const traceIds = known.map(({ traceId }) => traceId);
  if (order.by !== 'start' || traceIds.length <= batchSize) {
    yield { traceIds, until: undefined };
  } else if (order.isDescending && after === undefined) {
    yield* scanByLatestStart(known, batchSize);
  } else {
    const rows = await store.query<CandidateRow>(traceStartsSql(traceIds), options);
    const places = rows
      .map(sortKeyOfRow)
      .filter((place) => after === undefined || compareSortKeys(order, place, after) > 0)
      .sort((a, b) => compareSortKeys(order, a, b));
    for (let first = 0; first < places.length; first += batchSize) {
      const batch = places.slice(first, first + batchSize);
      yield { traceIds: batch.map(({ traceId }) => traceId as TraceId), until: batch.at(-1) };
    }
  }
}

/** More than a page, as much as is needed when some of it turn out to have started before others that are not in it. */
const LATEST_BATCH_FACTOR = 1.1;

/** Newest first without being told the starts: no trace starts later than something of it. */
function* scanByLatestStart(known: readonly Candidate[], batchSize: number): Generator<CandidateBatch> {
  const latest = [...known].sort((a, b) => b.knownStartUs - a.knownStartUs);
  const size = Math.ceil(batchSize * LATEST_BATCH_FACTOR);
  for (let first = 0; first < latest.length; first += size) {
    const traceIds = latest.slice(first, first + size).map(({ traceId }) => traceId);
    const next = latest[first + size];
    yield { traceIds, until: next && { part: 'valued', key: next.knownStartUs + 1, traceId: '' } };
  }
}

/** The candidates that have a value for the order. */
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
      // The bound by which this walks says nothing of those that stand before `after`: it begins with the first.
      return scanSlices(store, order, wholeKeyRange(ALL_TIMES), undefined, options, (_, from, limit) =>
        byDurationSql(search, { isDescending, after: from, limit }),
      );
  }
}

/** The candidates that may have no value for the order, newest first. */
export function scanWithoutValue(
  store: Store,
  search: Search,
  { by }: ListOrder,
  after: SortKey | undefined,
  options: ScanOptions,
): AsyncGenerator<CandidateBatch> {
  const order = { by: 'start', isDescending: true } as const;
  const asRest = (place: SortKey): SortKey => ({ ...place, part: 'rest' });
  return scanSlices(
    store,
    order,
    startKeyRange(search),
    after && { ...after, part: 'valued' },
    options,
    (slice, from, limit) => byStartSql(search, { slice, isDescending: true, after: from, limit, withoutValueFor: by }),
    asRest,
  );
}

/** A range of keys, and how much of it to look at first. */
type KeyRange = TimeWindow & { readonly firstSliceUs: number };

/** Nothing is expected in the future: a window that goes there begins with it and the last minute. */
function windowKeyRange(window: TimeWindow): KeyRange {
  const futureUs = Math.max(0, window.toUs - Date.now() * 1000);
  return { ...window, firstSliceUs: FIRST_SLICE_US + futureUs };
}

const wholeKeyRange = (window: TimeWindow): KeyRange => ({ ...window, firstSliceUs: window.toUs - window.fromUs });

/** A window of other times than starts says nothing of them. */
function startKeyRange({ window, timeRangeType: by }: Search): KeyRange {
  return by === 'TraceId' ? windowKeyRange(window) : wholeKeyRange(ALL_TIMES);
}

/**
 * Slice after slice of a range of keys, in the order of the list. Slices that hold too little grow, so that an empty
 * time costs few looks and a full one is not read any farther than needed.
 */
async function* scanSlices(
  store: Store,
  order: ListOrder,
  { fromUs, toUs, firstSliceUs: firstUs }: KeyRange,
  after: SortKey | undefined,
  { batchSize, ...options }: ScanOptions,
  statementOf: (slice: TimeWindow, after: SortKey | undefined, limit: number) => ReturnType<typeof byStartSql>,
  asPlace: (place: SortKey) => SortKey = (place) => place,
): AsyncGenerator<CandidateBatch> {
  const { isDescending } = order;
  let left: TimeWindow = { fromUs, toUs };
  let last = after;
  let sliceUs = firstUs;
  let limit = batchSize;
  // What several slices hold makes one batch: traces are loaded faster together.
  let gathered: TraceId[] = [];
  while (left.fromUs < left.toUs) {
    if (last !== undefined) {
      left = isDescending
        ? { ...left, toUs: Math.min(left.toUs, last.key + 1) }
        : { ...left, fromUs: Math.max(left.fromUs, last.key) };
    }
    const slice: TimeWindow = isDescending
      ? { fromUs: Math.max(left.fromUs, left.toUs - sliceUs), toUs: left.toUs }
      : { fromUs: left.fromUs, toUs: Math.min(left.toUs, left.fromUs + sliceUs) };
    const wanted = limit - gathered.length;
    const rows = await store.query<CandidateRow>(statementOf(slice, last, wanted), options);
    const isFull = rows.length === wanted;
    const lastRow = rows.at(-1);
    const end = isFull && lastRow !== undefined ? sortKeyOfRow(lastRow) : endOfSlice(slice, isDescending);
    gathered.push(...rows.map((row) => row.trace_id));
    const rest = isDescending ? { ...left, toUs: slice.fromUs } : { ...left, fromUs: slice.toUs };
    if (isFull || gathered.length >= batchSize || rest.fromUs >= rest.toUs) {
      yield { traceIds: [...new Set(gathered)], until: asPlace(end) };
      gathered = [];
    }
    if (isFull) {
      limit = Math.min(limit * 2, LARGEST_BATCH);
      last = end;
    } else {
      last = undefined;
      left = rest;
      // Half as much again as it takes when the next slice is like this one.
      const needed = (1.5 * batchSize) / Math.max(rows.length, batchSize / SLICE_GROWTH);
      sliceUs *= Math.ceil(Math.max(1, Math.min(needed, SLICE_GROWTH)));
    }
  }
}

/** Behind everything in the slice, before everything beyond it. */
function endOfSlice({ fromUs, toUs }: TimeWindow, isDescending: boolean): SortKey {
  return isDescending ? { part: 'valued', key: fromUs, traceId: '' } : { part: 'valued', key: toUs - 1, traceId: 'g' };
}

function sortKeyOfRow({ key, trace_id: traceId }: CandidateRow): SortKey {
  return { part: 'valued', key, traceId };
}
