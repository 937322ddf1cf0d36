import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { type Candidate, probeSeeds, type ScanOptions, scanProbedCandidates } from './candidate-scan.ts';
import { pushDownAnnotation, pushDownFilter } from './filter-pushdown.ts';
import { type Evaluation, evaluateInOrder, findInOrder, scanOptionsFor } from './find-in-order.ts';
import { isDecidedByRow, rowConditionSql } from './row-filters.ts';
import { type OpenTraces, readRowState, scanRows } from './row-scan.ts';
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
import type { SummaryState } from './summary-state.ts';
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

/**
 * Yields the matching traces of a window in the order that the filter asks for, until the caller stops. Rows of
 * `trace_summaries` decide about traces that are rolled up, if they can (see `row-scan.ts`). For all other traces SQL
 * finds candidates (see the diagram in `candidate-scan.ts`); the pure functions of `model/` and `filter/` decide whether
 * a candidate matches and compute its sort key.
 */
export async function* findTraces(
  store: Store,
  query: TraceQuery,
  { onScanned, ...options }: FindOptions = {},
): AsyncGenerator<FoundTrace> {
  const scanned = new Set<TraceId>();
  const found = (subjects: readonly FilterSubject[]) => {
    for (const { trace } of subjects) scanned.add(trace.id);
    onScanned?.(scanned.size);
    return subjects.flatMap((subject) => matchOf(subject, query));
  };
  const evaluate = async (traceIds: readonly TraceId[]) => {
    const matching: FoundTrace[] = [];
    for await (const group of assembledGroups(store, traceIds, { ...options, isPartWanted: () => false })) {
      const subjects = group.traces.map(({ trace }) => subjectOf(trace));
      for (const [id, part] of group.exceeding) subjects.push(await subjectFromRows(store, id, part, options));
      matching.push(...found(subjects));
    }
    return matching;
  };
  const evaluation: Evaluation<FoundTrace> = { order: orderOf(query), after: query.after, evaluate };
  const search: ListSearch = { query, found, evaluation, options };
  const isInRows = mayReadRows(query);
  const rare = isInRows ? await findByAnnotation(store, search) : undefined;
  if (rare !== undefined) {
    const batches = scanProbedCandidates(store, rare, evaluation.order, undefined, scanOptionsFor(evaluation, options));
    yield* evaluateInOrder(batches, evaluation);
    return;
  }
  const rowState = isInRows ? await readRowState(store, options) : undefined;
  if (rowState === undefined) {
    yield* findInDocuments(store, search);
    return;
  }
  const rows = findInRows(store, search, rowState.state);
  const first = rows.next();
  // Reported by the loop below; another failure may end the list before.
  first.catch(() => undefined);
  const open = await rowState.open;
  if (open === undefined) yield* findInDocuments(store, search);
  else yield* mergeLists(query, findOpenTraces(store, search, open), withoutOpen(resumed(first, rows), open));
}

type ListSearch = {
  readonly query: TraceQuery;
  /** The matches among loaded traces. */
  readonly found: (subjects: readonly FilterSubject[]) => readonly FoundTrace[];
  /** Loads the documents of candidates. */
  readonly evaluation: Evaluation<FoundTrace>;
  readonly options: Partial<ScanOptions>;
};

const orderOf = ({ filter, timeRangeType }: TraceQuery): ListOrder => listOrder(filter, timeRangeType);

/** To load more traces takes longer than to read rows. */
const RARE_MAX = 20;

/**
 * The traces with an annotation of the filter, if they are few: to read the rows of a window takes time in proportion to
 * its traces. Undefined if they are many, which the later pages of a list take for granted.
 */
async function findByAnnotation(
  store: Store,
  { query: { window, timeRangeType, filter, after }, evaluation, options }: ListSearch,
): Promise<readonly Candidate[] | undefined> {
  const prefilter = filter && pushDownAnnotation(filter.condition);
  if (prefilter === undefined || after !== undefined) return undefined;
  const scanOptions = { ...scanOptionsFor(evaluation, options), sortInMemoryMax: RARE_MAX };
  return (await probeSeeds(store, { window, timeRangeType, prefilter }, scanOptions)).candidates;
}

/** Without a condition on columns, an index on all attributes finds rare values faster than a scan of rows. */
function mayReadRows({ timeRangeType, filter }: TraceQuery): boolean {
  if (timeRangeType !== 'TraceId') return false;
  if (filter === undefined) return true;
  const { condition } = filter;
  return (
    isDecidedByRow(condition) && (rowConditionSql(condition) !== undefined || pushDownFilter(condition) === undefined)
  );
}

async function* findInRows(
  store: Store,
  { query, found, evaluation, options }: ListSearch,
  { droppedBeforeUs }: SummaryState,
): AsyncGenerator<FoundTrace> {
  const { window, filter } = query;
  const { order, after } = evaluation;
  const condition = filter && rowConditionSql(filter.condition);
  const { batchSize, sortInMemoryMax: _, ...queryOptions } = scanOptionsFor(evaluation, options);
  const scan = { window, condition, order, after, droppedBeforeUs, batchSize };
  for await (const subjects of scanRows(store, scan, queryOptions)) yield* found(subjects);
}

async function* resumed<Item>(
  first: Promise<IteratorResult<Item, unknown>>,
  rest: AsyncGenerator<Item>,
): AsyncGenerator<Item> {
  const { value, done } = await first;
  if (done) return;
  yield value as Item;
  yield* rest;
}

async function* withoutOpen(traces: AsyncGenerator<FoundTrace>, open: OpenTraces): AsyncGenerator<FoundTrace> {
  for await (const trace of traces) if (!open.latestStarts.has(trace.summary.id)) yield trace;
}

/** Traces about which no row decides. */
async function* findOpenTraces(store: Store, search: ListSearch, open: OpenTraces): AsyncGenerator<FoundTrace> {
  const { query, evaluation, options } = search;
  const candidates = Array.from(open.latestStarts, ([traceId, knownStartUs]) => ({ traceId, knownStartUs })).filter(
    ({ knownStartUs }) => knownStartUs >= query.window.fromUs,
  );
  if (candidates.length === 0) return;
  const isOpen = ({ summary }: FoundTrace) => open.latestStarts.has(summary.id);
  const scanOptions = scanOptionsFor(evaluation, options);
  // Rows of entities rule out most of many candidates, but none without a filter.
  const loadableMax = query.filter === undefined ? scanOptions.sortInMemoryMax : scanOptions.batchSize;
  if (candidates.length <= loadableMax) {
    const batches = scanProbedCandidates(store, candidates, evaluation.order, query.after, scanOptions);
    yield* evaluateInOrder(batches, evaluation, isOpen);
  } else {
    for await (const trace of findInDocuments(store, search, open.where)) if (isOpen(trace)) yield trace;
  }
}

/** Both lists are in the order of the query. */
async function* mergeLists(
  query: TraceQuery,
  ...lists: readonly [AsyncGenerator<FoundTrace>, AsyncGenerator<FoundTrace>]
): AsyncGenerator<FoundTrace> {
  const order = orderOf(query);
  const [left, right] = lists;
  try {
    let [a, b] = await Promise.all([left.next(), right.next()]);
    while (!a.done || !b.done) {
      if (b.done || (!a.done && compareSortKeys(order, a.value.sortKey, b.value.sortKey) <= 0)) {
        yield a.value;
        a = await left.next();
      } else {
        yield b.value;
        b = await right.next();
      }
    }
  } finally {
    await Promise.all(lists.map((list) => list.return(undefined)));
  }
}

/** Candidates in batches, loaded from documents. `within`: only these traces. */
function findInDocuments(
  store: Store,
  { query, evaluation, options }: ListSearch,
  within?: Sql,
): AsyncGenerator<FoundTrace> {
  const { window, timeRangeType, filter } = query;
  const prefilter = filter && pushDownFilter(filter.condition);
  return findInOrder(store, { window, timeRangeType, prefilter, within }, evaluation, options);
}

/** The trace with its sort key, or nothing when the query does not ask for it. */
function matchOf(subject: FilterSubject, query: TraceQuery): readonly FoundTrace[] {
  const { window, timeRangeType, filter } = query;
  if (!isInWindow(subject.trace, timeRangeType, window)) return [];
  if (filter && !matches(filter, subject)) return [];
  return [{ summary: subject.summary, sortKey: sortKeyOf(subject, orderOf(query), window) }];
}
