import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { subjectOf } from '../../filter/subject.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import { pushDownFilter } from '../traces/filter-pushdown.ts';
import { loadTraces } from '../traces/load-traces.ts';
import { prefilterSql } from '../traces/prefilter.ts';

const BATCH = 100;
/** An answer that has to look at each trace of its window is given up after this. */
const MAX_MS = 30_000;

/**
 * The traces that match and of which something ended in the window, some hundred at a time, in no order. Each is looked
 * at. Throws QueryTimeout when that takes too long.
 */
export async function* tracesEndingIn(
  store: Store,
  window: TimeWindow,
  filter: Filter | undefined,
  options: QueryOptions,
): AsyncGenerator<readonly Trace[]> {
  const deadline = performance.now() + (options.timeoutMs ?? MAX_MS);
  const rows = await store.query<{ trace_id: TraceId }>(endedTracesSql(window, filter), options);
  for (let first = 0; first < rows.length; first += BATCH) {
    if (performance.now() > deadline) {
      throw new OpenrayError(
        'QueryTimeout',
        'Looking at so many traces took longer than it may; ask for a smaller window',
      );
    }
    const ids = rows.slice(first, first + BATCH).map((row) => row.trace_id);
    const traces = await loadTraces(store, ids, options);
    yield filter === undefined ? traces : traces.filter((trace) => matches(filter, subjectOf(trace)));
  }
}

/** Traces in which anything ended in the window, each once, in no order. */
function endedTracesSql(window: TimeWindow, filter: Filter | undefined): Sql {
  const narrow = filter && pushDownFilter(filter.condition);
  const where = sql.and([
    sql`end_us >= ${window.fromUs} AND end_us < ${window.toUs}`,
    ...(narrow ? [prefilterSql(narrow, sql`true`)] : []),
  ]);
  return sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities WHERE ${where}`;
}
