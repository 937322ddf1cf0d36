import type { TraceSummary } from '../../model/summary.ts';
import type { Store } from '../../store/store.ts';
import { type FindOptions, findTraces, type TraceQuery } from './find-traces.ts';
import type { SortKey } from './sort-key.ts';

export type SummaryPage = {
  readonly summaries: readonly TraceSummary[];
  /** Behind the last summary of this page; undefined when there are no more. */
  readonly nextKey: SortKey | undefined;
  /** Traces that were looked at one by one: what SQL alone could rule out is not among them. */
  readonly scannedCount: number;
};

/**
 * One page of the traces that match, in the order of the list, none skipped and none twice over the pages.
 * `keep` thins the list (sampling) before the page is filled.
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
  // One more tells whether there is a next page.
  const asked = { ...options, onScanned, batchSize: query.pageSize + 1 };
  for await (const { summary, sortKey: place } of findTraces(store, query, asked)) {
    if (query.keep && !query.keep(summary)) continue;
    if (summaries.length === query.pageSize) return { summaries, nextKey: last, scannedCount };
    summaries.push(summary);
    last = place;
  }
  return { summaries, nextKey: undefined, scannedCount };
}
