import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
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
import { pushDownFilter } from './filter-pushdown.ts';
import { loadTraces } from './load-traces.ts';
import {
  compareSortKeys,
  isInWindow,
  type ListOrder,
  listOrder,
  type SortKey,
  sortKeyOf,
  type TimeRangeType,
} from './sort-key.ts';

export type TraceQuery = {
  readonly window: TimeInterval;
  readonly timeRangeType: TimeRangeType;
  readonly filter: Filter | undefined;
  /** Keyset cursor: the list begins with the first trace after this sort key. */
  readonly after?: SortKey | undefined;
};

export type FoundTrace = FilterSubject & { readonly sortKey: SortKey };

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
  { batchSize = 100, sortInMemoryMax: requestedSortInMemoryMax, onScanned, ...options }: FindOptions = {},
): AsyncGenerator<FoundTrace> {
  const { window, timeRangeType, filter, after } = query;
  const order = listOrder(filter, timeRangeType);
  const isFirstOfNewest = order.by === 'start' && order.isDescending && after === undefined;
  const sortInMemoryMax =
    requestedSortInMemoryMax ?? (isFirstOfNewest ? SORT_IN_MEMORY_MAX_NEWEST : SORT_IN_MEMORY_MAX);
  const scanOptions = { ...options, batchSize, sortInMemoryMax };
  const scanned = new Set<TraceId>();
  const evaluate = (
    batches: AsyncGenerator<CandidateBatch>,
    from: SortKey | undefined,
    isWanted: (trace: FoundTrace) => boolean,
  ) =>
    mergeInOrder(batches, order, from, async ({ traceIds }) => {
      const traces = await loadTraces(store, traceIds, options);
      for (const { id } of traces) scanned.add(id);
      onScanned?.(scanned.size);
      return traces.flatMap((trace) => matchOf(trace, query, order)).filter(isWanted);
    });
  const prefilter = filter && pushDownFilter(filter.condition);
  const probed = await probeSeeds(store, { window, timeRangeType, prefilter }, scanOptions);
  if (probed.candidates !== undefined) {
    yield* evaluate(scanProbedCandidates(store, probed.candidates, order, after, scanOptions), after, () => true);
    return;
  }
  const { search } = probed;
  if (after?.part !== 'rest') {
    const batches = scanWithValue(store, search, order, after, scanOptions);
    yield* evaluate(batches, after, ({ sortKey }) => sortKey.part === 'valued');
  }
  if (order.by !== 'responsetime' && order.by !== 'duration') return;
  const from = after?.part === 'rest' ? after : undefined;
  const batches = scanWithoutValue(store, search, order, from, scanOptions);
  yield* evaluate(batches, from, ({ sortKey }) => sortKey.part === 'rest');
}

/** The trace with its sort key, or nothing when the query does not ask for it. */
function matchOf(trace: Trace, { window, timeRangeType, filter }: TraceQuery, order: ListOrder): readonly FoundTrace[] {
  if (!isInWindow(trace, timeRangeType, window)) return [];
  const subject = subjectOf(trace);
  if (filter && !matches(filter, subject)) return [];
  return [{ ...subject, sortKey: sortKeyOf(subject, order, window) }];
}

/** Sorts the traces of all batches. A trace is held back until a batch reaches past its sort key. */
async function* mergeInOrder(
  batches: AsyncGenerator<CandidateBatch>,
  order: ListOrder,
  after: SortKey | undefined,
  evaluate: (batch: CandidateBatch) => Promise<readonly FoundTrace[]>,
): AsyncGenerator<FoundTrace> {
  let last = after;
  const waiting = new Map<string, FoundTrace>();
  for await (const batch of batches) {
    for (const trace of await evaluate(batch)) {
      if (last === undefined || compareSortKeys(order, trace.sortKey, last) > 0) waiting.set(trace.trace.id, trace);
    }
    const { until } = batch;
    const isDue = ({ sortKey }: FoundTrace) => until === undefined || compareSortKeys(order, sortKey, until) <= 0;
    const due = [...waiting.values()].filter(isDue).sort((a, b) => compareSortKeys(order, a.sortKey, b.sortKey));
    for (const trace of due) {
      waiting.delete(trace.trace.id);
      last = trace.sortKey;
      yield trace;
    }
    if (until !== undefined && (last === undefined || compareSortKeys(order, until, last) > 0)) last = until;
  }
}
