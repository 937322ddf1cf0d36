import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Store } from '../../store/store.ts';
import {
  type CandidateBatch,
  probeSeeds,
  type ScanOptions,
  scanProbedCandidates,
  scanWithoutValue,
  scanWithValue,
} from './candidate-scan.ts';
import type { Search } from './candidates.ts';
import { pushDownFilter } from './filter-pushdown.ts';
import {
  compareSortKeys,
  isInWindow,
  type ListOrder,
  listOrder,
  type SortKey,
  sortKeyOf,
  type TimeRangeType,
} from './sort-key.ts';
import { subjectFromRows } from './summary-from-rows.ts';
import { assembledGroups } from './trace-cache.ts';

export type TraceQuery = {
  readonly window: TimeInterval;
  readonly timeRangeType: TimeRangeType;
  readonly filter: Filter | undefined;
  /** Keyset cursor: the list begins with the first trace after this sort key. */
  readonly after?: SortKey | undefined;
};

/** Does not hold the trace itself: many large ones may wait until a batch reaches past them. */
export type FoundTrace = { readonly summary: TraceSummary; readonly sortKey: SortKey };

export type FindOptions = Partial<ScanOptions> & {
  /** Called with the number of traces that were loaded and evaluated so far. */
  readonly onScanned?: (count: number) => void;
};

const SORT_IN_MEMORY_MAX = 500;
/** Higher for the first page of the newest traces: the seeds already show which traces may come first. */
const SORT_IN_MEMORY_MAX_NEWEST = 4_000;

/**
 * Yields the matching traces of a window in the order that the filter asks for, until the caller stops. SQL finds
 * candidates (see the diagram in `candidate-scan.ts`); the pure functions of `model/` and `filter/` decide whether a
 * candidate matches and compute its sort key.
 */
export async function* findTraces(
  store: Store,
  query: TraceQuery,
  { onScanned, ...options }: FindOptions = {},
): AsyncGenerator<FoundTrace> {
  const { window, timeRangeType, filter, after } = query;
  const order = listOrder(filter, timeRangeType);
  const scanned = new Set<TraceId>();
  const evaluate = async (traceIds: readonly TraceId[]) => {
    const found: FoundTrace[] = [];
    for await (const group of assembledGroups(store, traceIds, { ...options, isPartWanted: () => false })) {
      const subjects = group.traces.map(({ trace }) => subjectOf(trace));
      for (const [id, part] of group.exceeding) subjects.push(await subjectFromRows(store, id, part, options));
      for (const { trace } of subjects) scanned.add(trace.id);
      found.push(...subjects.flatMap((subject) => matchOf(subject, query, order)));
    }
    onScanned?.(scanned.size);
    return found;
  };
  const prefilter = filter && pushDownFilter(filter.condition);
  yield* findInOrder(store, { window, timeRangeType, prefilter }, { order, after, evaluate }, options);
}

type Evaluation<Found> = {
  readonly order: ListOrder;
  readonly after?: SortKey | undefined;
  /** The candidates that match. */
  readonly evaluate: (traceIds: readonly TraceId[]) => Promise<readonly Found[]>;
};

/** Yields what `evaluate` finds among the candidates of the search, in order, until the caller stops. */
export async function* findInOrder<Found extends { readonly sortKey: SortKey }>(
  store: Store,
  search: Search,
  { order, after, evaluate }: Evaluation<Found>,
  { batchSize = 100, sortInMemoryMax: requestedSortInMemoryMax, ...options }: Omit<FindOptions, 'onScanned'> = {},
): AsyncGenerator<Found> {
  const isFirstOfNewest = order.by === 'start' && order.isDescending && after === undefined;
  const sortInMemoryMax =
    requestedSortInMemoryMax ?? (isFirstOfNewest ? SORT_IN_MEMORY_MAX_NEWEST : SORT_IN_MEMORY_MAX);
  const scanOptions = { ...options, batchSize, sortInMemoryMax };
  const merge = (
    batches: AsyncGenerator<CandidateBatch>,
    from: SortKey | undefined,
    isWanted: (found: Found) => boolean,
  ) =>
    mergeInOrder(batches, order, from, async ({ traceIds }) =>
      (traceIds.length === 0 ? [] : await evaluate(traceIds)).filter(isWanted),
    );
  const probed = await probeSeeds(store, search, scanOptions);
  if (probed.candidates !== undefined) {
    yield* merge(scanProbedCandidates(store, probed.candidates, order, after, scanOptions), after, () => true);
    return;
  }
  const left = probed.search;
  if (after?.part !== 'rest') {
    const batches = scanWithValue(store, left, order, after, scanOptions);
    yield* merge(batches, after, ({ sortKey }) => sortKey.part === 'valued');
  }
  if (order.by !== 'responsetime' && order.by !== 'duration') return;
  const from = after?.part === 'rest' ? after : undefined;
  const batches = scanWithoutValue(store, left, order, from, scanOptions);
  yield* merge(batches, from, ({ sortKey }) => sortKey.part === 'rest');
}

/** The trace with its sort key, or nothing when the query does not ask for it. */
function matchOf(
  subject: FilterSubject,
  { window, timeRangeType, filter }: TraceQuery,
  order: ListOrder,
): readonly FoundTrace[] {
  if (!isInWindow(subject.trace, timeRangeType, window)) return [];
  if (filter && !matches(filter, subject)) return [];
  return [{ summary: subject.summary, sortKey: sortKeyOf(subject, order, window) }];
}

/** Sorts the traces of all batches. A trace is held back until a batch reaches past its sort key. */
async function* mergeInOrder<Found extends { readonly sortKey: SortKey }>(
  batches: AsyncGenerator<CandidateBatch>,
  order: ListOrder,
  after: SortKey | undefined,
  evaluate: (batch: CandidateBatch) => Promise<readonly Found[]>,
): AsyncGenerator<Found> {
  let last = after;
  const waiting = new Map<string, Found>();
  for await (const batch of batches) {
    for (const trace of await evaluate(batch)) {
      if (last === undefined || compareSortKeys(order, trace.sortKey, last) > 0)
        waiting.set(trace.sortKey.traceId, trace);
    }
    const { until } = batch;
    const isDue = ({ sortKey }: Found) => until === undefined || compareSortKeys(order, sortKey, until) <= 0;
    const due = [...waiting.values()].filter(isDue).sort((a, b) => compareSortKeys(order, a.sortKey, b.sortKey));
    for (const trace of due) {
      waiting.delete(trace.sortKey.traceId);
      last = trace.sortKey;
      yield trace;
    }
    if (until !== undefined && (last === undefined || compareSortKeys(order, until, last) > 0)) last = until;
  }
}
