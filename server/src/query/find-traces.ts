import type { Filter } from '../filter/ast.ts';
import { matches } from '../filter/matches.ts';
import { type FilterSubject, subjectOf } from '../filter/subject.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { type CandidateRow, type Cursor, candidatesSql, isCandidate, type TimeRangeType } from './candidates.ts';
import { loadTraces } from './load-traces.ts';
import type { TimeWindow } from './window.ts';

export type TraceQuery = {
  readonly window: TimeWindow;
  readonly by: TimeRangeType;
  readonly filter: Filter | undefined;
  readonly after?: Cursor | undefined;
};

export type FoundTrace = FilterSubject & { readonly cursor: Cursor };

const FIRST_BATCH = 100;
const LARGEST_BATCH = 1000;

/**
 * The traces of a window that match, newest first, as long as the caller takes them. SQL narrows, the pure
 * functions of `model/` and `filter/` decide. `onScanned` is told how many traces each step looked at.
 */
export async function* findTraces(
  store: Store,
  { window, by, filter, after }: TraceQuery,
  { onScanned, ...options }: QueryOptions & { onScanned?: (count: number) => void } = {},
): AsyncGenerator<FoundTrace> {
  let cursor = after;
  for (let limit = FIRST_BATCH; ; limit = Math.min(limit * 2, LARGEST_BATCH)) {
    const statement = candidatesSql({ window, by, after: cursor, filter, limit });
    const candidates = await store.query<CandidateRow>(statement, options);
    const rows = new Map(candidates.map((row) => [row.trace_id, row]));
    const traces = await loadTraces(
      store,
      candidates.map((row) => row.trace_id),
      options,
    );
    onScanned?.(traces.length);
    for (const trace of traces) {
      const row = rows.get(trace.id);
      if (row === undefined || !isCandidate(trace, by, window)) continue;
      const subject = subjectOf(trace);
      if (filter && !matches(filter, subject)) continue;
      yield { ...subject, cursor: { keyUs: row.key_us, traceId: row.trace_id } };
    }
    const last = candidates.at(-1);
    if (last === undefined || candidates.length < limit) return;
    cursor = { keyUs: last.key_us, traceId: last.trace_id };
  }
}
