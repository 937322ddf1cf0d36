import { summariseTrace } from '../../model/summarise.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { type FindOptions, findTraces, type TraceQuery } from './find-traces.ts';
import type { SortKey } from './sort-key.ts';
import { subjectFromRows } from './summary-from-rows.ts';
import { assembledGroups } from './trace-cache.ts';

export type SummaryPage = {
  readonly summaries: readonly TraceSummary[];
  /** Keyset cursor of the next page: the sort key of the last summary of this one. Undefined on the last page. */
  readonly nextKey: SortKey | undefined;
  /** Traces that were loaded and evaluated. Traces that SQL ruled out are not counted. */
  readonly scannedCount: number;
};

/**
 * One page of the traces that match, in the order of the list. Pages neither skip nor repeat a trace. A page contains
 * only summaries for which `keep` (sampling) is true.
 */
export async function findTraceSummaries(
  store: Store,
  query: TraceQuery & { readonly pageSize: number; readonly keep?: (summary: TraceSummary) => boolean },
  options: FindOptions = {},
): Promise<SummaryPage> {
  const summaries: TraceSummary[] = [];
  let scannedCount = 0;
  let last: SortKey | undefined;
  const onScanned = (count: number) => {
    scannedCount = count;
  };
  // One more than the page, to find out whether there is a next page.
  const findOptions = { ...options, onScanned, batchSize: query.pageSize + 1 };
  for await (const { summary, sortKey } of findTraces(store, query, findOptions)) {
    if (query.keep && !query.keep(summary)) continue;
    if (summaries.length === query.pageSize) return { summaries, nextKey: last, scannedCount };
    summaries.push(summary);
    last = sortKey;
  }
  return { summaries, nextKey: undefined, scannedCount };
}

/** Undefined for an unknown id. */
export async function traceSummary(
  store: Store,
  id: TraceId,
  options: QueryOptions,
): Promise<TraceSummary | undefined> {
  for await (const { traces, exceeding } of assembledGroups(store, [id], { ...options, isPartWanted: () => false })) {
    const part = exceeding.get(id);
    if (part !== undefined) return (await subjectFromRows(store, id, part, options)).summary;
    const [found] = traces;
    return found && summariseTrace(found.trace);
  }
  return undefined;
}
