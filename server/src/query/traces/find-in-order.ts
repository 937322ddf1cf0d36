import type { TraceId } from '../../model/trace-id.ts';
import type { Store } from '../../store/store.ts';
import {
  type CandidateBatch,
  probeSeeds,
  type ScanOptions,
  scanNewestOf,
  scanProbedCandidates,
  scanWithoutValue,
  scanWithValue,
} from './candidate-scan.ts';
import type { Search } from './candidates.ts';
import { compareSortKeys, type ListOrder, type SortKey } from './sort-key.ts';

/** What a list consists of. */
export type Evaluation<Found extends { readonly sortKey: SortKey }> = {
  readonly order: ListOrder;
  /** Keyset cursor: the list begins with the first trace after this sort key. */
  readonly after?: SortKey | undefined;
  /** The candidates that match. */
  readonly evaluate: (traceIds: readonly TraceId[]) => Promise<readonly Found[]>;
};

const SORT_IN_MEMORY_MAX = 500;
/** Higher for the first page of the newest traces: the seeds already show which traces may come first. */
const SORT_IN_MEMORY_MAX_NEWEST = 4_000;

/** Bounds of a scan for a list in this order. */
export function scanOptionsFor(
  { order, after }: Pick<Evaluation<never>, 'order' | 'after'>,
  { batchSize = 100, sortInMemoryMax, ...options }: Partial<ScanOptions>,
): ScanOptions {
  const isFirstOfNewest = order.by === 'start' && order.isDescending && after === undefined;
  const inMemoryMax = isFirstOfNewest ? SORT_IN_MEMORY_MAX_NEWEST : SORT_IN_MEMORY_MAX;
  return { ...options, batchSize, sortInMemoryMax: sortInMemoryMax ?? inMemoryMax };
}

/** Yields what `evaluate` finds among the candidates of the search, in order, until the caller stops. */
export async function* findInOrder<Found extends { readonly sortKey: SortKey }>(
  store: Store,
  search: Search,
  list: Evaluation<Found>,
  options: Partial<ScanOptions> = {},
): AsyncGenerator<Found> {
  const { order, after } = list;
  const scanOptions = scanOptionsFor(list, options);
  const name = search.prefilter?.kind === 'entity' ? search.prefilter.name : undefined;
  const isByStart = search.timeRangeType === 'TraceId' && order.by === 'start' && order.isDescending;
  if (name !== undefined && isByStart && after === undefined) {
    yield* evaluateInOrder(scanNewestOf(store, search, name, scanOptions), list);
    return;
  }
  const probed = await probeSeeds(store, search, scanOptions);
  if (probed.candidates !== undefined) {
    yield* evaluateInOrder(scanProbedCandidates(store, probed.candidates, order, after, scanOptions), list);
    return;
  }
  const left = probed.search;
  if (after?.part !== 'rest') {
    const batches = scanWithValue(store, left, order, after, scanOptions);
    yield* evaluateInOrder(batches, list, ({ sortKey }) => sortKey.part === 'valued');
  }
  if (order.by !== 'responsetime' && order.by !== 'duration') return;
  const from = after?.part === 'rest' ? after : undefined;
  const batches = scanWithoutValue(store, left, order, from, scanOptions);
  yield* evaluateInOrder(batches, { ...list, after: from }, ({ sortKey }) => sortKey.part === 'rest');
}

/** The wanted matches among the candidates, in order. */
export function evaluateInOrder<Found extends { readonly sortKey: SortKey }>(
  batches: AsyncGenerator<CandidateBatch>,
  { order, after, evaluate }: Evaluation<Found>,
  isWanted: (found: Found) => boolean = () => true,
): AsyncGenerator<Found> {
  return mergeInOrder(batches, order, after, async ({ traceIds }) =>
    (traceIds.length === 0 ? [] : await evaluate(traceIds)).filter(isWanted),
  );
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
