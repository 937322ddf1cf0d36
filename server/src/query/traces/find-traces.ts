import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import { type Batch, probe, type WalkOptions, walkFew, walkRest, walkValued } from './candidate-scan.ts';
import { narrowFilter } from './filter-pushdown.ts';
import { loadTraces } from './load-traces.ts';
import {
  comparePlaces,
  isInWindow,
  type ListOrder,
  listOrder,
  type Place,
  placeOf,
  type TimeRangeType,
} from './sort-key.ts';

export type TraceQuery = {
  readonly window: TimeWindow;
  readonly by: TimeRangeType;
  readonly filter: Filter | undefined;
  /** Begin behind this place. */
  readonly after?: Place | undefined;
};

export type FoundTrace = FilterSubject & { readonly place: Place };

export type FindOptions = Partial<WalkOptions> & {
  /** Told how many traces were looked at so far. */
  readonly onScanned?: (count: number) => void;
};

/** So few candidates are looked at one by one, whatever the order. */
const FEW = 500;
/** The same for the first page of the newest, where what found them tells which come first. */
const FEW_NEWEST = 4_000;

/**
 * The traces of a window that match, in the order that the filter asks for, as long as the caller takes them. SQL
 * narrows, the pure functions of `model/` and `filter/` decide what matches and where it stands.
 */
export async function* findTraces(
  store: Store,
  query: TraceQuery,
  { batchSize = 100, few: askedFew, onScanned, ...options }: FindOptions = {},
): AsyncGenerator<FoundTrace> {
  const { window, by, filter, after } = query;
  const order = listOrder(filter, by);
  const isFirstOfNewest = order.by === 'start' && order.isDescending && after === undefined;
  const few = askedFew ?? (isFirstOfNewest ? FEW_NEWEST : FEW);
  const walking = { ...options, batchSize, few };
  const scanned = new Set<TraceId>();
  const judge = (batches: AsyncGenerator<Batch>, from: Place | undefined, isWanted: (trace: FoundTrace) => boolean) =>
    inOrder(batches, order, from, async ({ traceIds }) => {
      const traces = await loadTraces(store, traceIds, options);
      for (const { id } of traces) scanned.add(id);
      onScanned?.(scanned.size);
      return traces.flatMap((trace) => found(trace, query, order)).filter(isWanted);
    });
  const looked = await probe(store, { window, by, narrow: filter && narrowFilter(filter.condition) }, walking);
  if (looked.known !== undefined) {
    yield* judge(walkFew(store, looked.known, order, after, walking), after, () => true);
    return;
  }
  const { search } = looked;
  if (after?.part !== 'rest') {
    yield* judge(walkValued(store, search, order, after, walking), after, ({ place }) => place.part === 'valued');
  }
  if (order.by !== 'responsetime' && order.by !== 'duration') return;
  const from = after?.part === 'rest' ? after : undefined;
  yield* judge(walkRest(store, search, order, from, walking), from, ({ place }) => place.part === 'rest');
}

/** The trace with its place when it is one that the query asks for. */
function found(trace: Trace, { window, by, filter }: TraceQuery, order: ListOrder): readonly FoundTrace[] {
  if (!isInWindow(trace, by, window)) return [];
  const subject = subjectOf(trace);
  if (filter && !matches(filter, subject)) return [];
  return [{ ...subject, place: placeOf(subject, order, window) }];
}

/** What the batches hold, sorted: a trace waits until the batches are past its place. */
async function* inOrder(
  batches: AsyncGenerator<Batch>,
  order: ListOrder,
  after: Place | undefined,
  judge: (batch: Batch) => Promise<readonly FoundTrace[]>,
): AsyncGenerator<FoundTrace> {
  let last = after;
  const waiting = new Map<string, FoundTrace>();
  for await (const batch of batches) {
    for (const trace of await judge(batch)) {
      if (last === undefined || comparePlaces(order, trace.place, last) > 0) waiting.set(trace.trace.id, trace);
    }
    const { until } = batch;
    const isDue = ({ place }: FoundTrace) => until === undefined || comparePlaces(order, place, until) <= 0;
    const due = [...waiting.values()].filter(isDue).sort((a, b) => comparePlaces(order, a.place, b.place));
    for (const trace of due) {
      waiting.delete(trace.trace.id);
      last = trace.place;
      yield trace;
    }
    if (until !== undefined && (last === undefined || comparePlaces(order, until, last) > 0)) last = until;
  }
}
