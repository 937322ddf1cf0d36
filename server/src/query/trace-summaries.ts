import type { TraceSummary } from '../model/summary.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import type { Cursor } from './candidates.ts';
import { findTraces, type TraceQuery } from './find-traces.ts';

export type SummaryPage = {
  readonly summaries: readonly TraceSummary[];
  /** Behind the last summary of this page; undefined when there are no more. */
  readonly next: Cursor | undefined;
  readonly scannedCount: number;
};

/**
 * One page of the traces that match, newest first, none skipped and none twice over the pages.
 * `keep` thins the list (sampling) before the page is filled.
 */
export async function findTraceSummaries(
  store: Store,
  query: TraceQuery & { readonly pageSize: number; readonly keep?: (summary: TraceSummary) => boolean },
  options: QueryOptions = {},
): Promise<SummaryPage> {
  const summaries: TraceSummary[] = [];
  let scannedCount = 0;
  let last: Cursor | undefined;
  const onScanned = (count: number) => {
    scannedCount += count;
  };
  for await (const { summary, cursor } of findTraces(store, query, { ...options, onScanned })) {
    if (query.keep && !query.keep(summary)) continue;
    if (summaries.length === query.pageSize) return { summaries, next: last, scannedCount };
    summaries.push(summary);
    last = cursor;
  }
  return { summaries, next: undefined, scannedCount };
}
