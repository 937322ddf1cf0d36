import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import {
  type CandidateBatch,
  probeSeeds,
  type ScanOptions,
  scanKnownCandidates,
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
  readonly window: TimeWindow;
  readonly timeRangeType: TimeRangeType;
  readonly filter: Filter | undefined;
  /** Begin behind this place. */
  readonly after?: SortKey | undefined;
};

export type FoundTrace = FilterSubject & { readonly sortKey: SortKey };

export type FindOptions = Partial<ScanOptions> & {
  /** Told how many traces were looked at so far. */
  readonly onScanned?: (count: number) => void;
};

/** So few candidates are looked at one by one, whatever the order. */
const SORT_IN_MEMORY_MAX = 500;
/** The same for the first page of the newest, where what found them tells which come first. */
const SORT_IN_MEMORY_MAX_NEWEST = 4_000;

/**
 * The traces of a window that match, in the order that the filter asks for, as long as the caller takes them. SQL
 * narrows, the pure functions of `model/` and `filter/` decide what matches and where it stands.
 */
export async function* findTraces(
  store: Store,
  query: TraceQuery,
  { batchSize = 100, sortInMemoryMax: askedFew, onScanned, ...options }: FindOptions = {},
): AsyncGenerator<FoundTrace> {
  const { window, timeRangeType: by, filter, after } = query;
  const order = listOrder(filter, by);
  const isFirstOfNewest = order.by === 'start' && order.isDescending && after === undefined;
  const few = askedFew ?? (isFirstOfNewest ? SORT_IN_MEMORY_MAX_NEWEST : SORT_IN_MEMORY_MAX);
  const walking = { ...options, batchSize, sortInMemoryMax: few };
  const scanned = new Set<TraceId>();
  const judge = (
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
  const looked = await probeSeeds(
    store,
    { window, timeRangeType: by, prefilter: filter && pushDownFilter(filter.condition) },
    walking,
  );
  if (looked.known !== undefined) {
    yield* judge(scanKnownCandidates(store, looked.known, order, after, walking), after, () => true);
    return;
  }
  const { search } = looked;
  if (after?.part !== 'rest') {
    yield* judge(
      scanWithValue(store, search, order, after, walking),
      after,
      ({ sortKey: place }) => place.part === 'valued',
    );
  }
  if (order.by !== 'responsetime' && order.by !== 'duration') return;
  const from = after?.part === 'rest' ? after : undefined;
  yield* judge(
    scanWithoutValue(store, search, order, from, walking),
    from,
    ({ sortKey: place }) => place.part === 'rest',
  );
}

/** The trace with its place when it is one that the query asks for. */
function matchOf(
  trace: Trace,
  { window, timeRangeType: by, filter }: TraceQuery,
  order: ListOrder,
): readonly FoundTrace[] {
  if (!isInWindow(trace, by, window)) return [];
  const subject = subjectOf(trace);
  if (filter && !matches(filter, subject)) return [];
  return [{ ...subject, sortKey: sortKeyOf(subject, order, window) }];
}

/** What the batches hold, sorted: a trace waits until the batches are past its place. */
async function* mergeInOrder(
  batches: AsyncGenerator<CandidateBatch>,
  order: ListOrder,
  after: SortKey | undefined,
  judge: (batch: CandidateBatch) => Promise<readonly FoundTrace[]>,
): AsyncGenerator<FoundTrace> {
  let last = after;
  const waiting = new Map<string, FoundTrace>();
  for await (const batch of batches) {
    for (const trace of await judge(batch)) {
      if (last === undefined || compareSortKeys(order, trace.sortKey, last) > 0) waiting.set(trace.trace.id, trace);
    }
    const { until } = batch;
    const isDue = ({ sortKey: place }: FoundTrace) => until === undefined || compareSortKeys(order, place, until) <= 0;
    const due = [...waiting.values()].filter(isDue).sort((a, b) => compareSortKeys(order, a.sortKey, b.sortKey));
    for (const trace of due) {
      waiting.delete(trace.trace.id);
      last = trace.sortKey;
      yield trace;
    }
    if (until !== undefined && (last === undefined || compareSortKeys(order, until, last) > 0)) last = until;
  }
}
