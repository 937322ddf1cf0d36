import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { subjectOf } from '../../filter/subject.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { pushDownFilter } from '../traces/filter-pushdown.ts';
import { assembledTraces, documentGroups } from '../traces/load-traces.ts';
import { prefilterSql } from '../traces/prefilter.ts';

const BATCH = 100;
/** Limit for a question that has to load each trace of its window. */
const MAX_MS = 30_000;

/**
 * The matching traces that have an entity which ended in the window, up to BATCH at a time, in no order. Loads each
 * trace, or its first part. Throws QueryTimeout after `timeoutMs` (default MAX_MS).
 */
export async function* tracesEndingIn(
  store: Store,
  window: TimeInterval,
  filter: Filter | undefined,
  options: QueryOptions,
): AsyncGenerator<readonly Trace[]> {
  const deadline = performance.now() + (options.timeoutMs ?? MAX_MS);
  const rows = await store.query<{ trace_id: TraceId }>(endedTracesSql(window, filter), options);
  for (let first = 0; first < rows.length; first += BATCH) {
    if (performance.now() > deadline) {
      throw new OpenrayError('QueryTimeout', 'Reading this many traces exceeded the time limit; use a smaller window');
    }
    const ids = rows.slice(first, first + BATCH).map((row) => row.trace_id);
    for await (const group of documentGroups(store, ids, options)) {
      const traces = assembledTraces(group);
      yield filter === undefined ? traces : traces.filter((trace) => matches(filter, subjectOf(trace)));
    }
  }
}

/** Each trace once, in no order. */
function endedTracesSql(window: TimeInterval, filter: Filter | undefined): Sql {
  const prefilter = filter && pushDownFilter(filter.condition);
  const where = sql.and([
    inIntervalSql(sql`end_us`, window),
    ...(prefilter ? [prefilterSql(prefilter, sql`true`)] : []),
  ]);
  return sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities WHERE ${where}`;
}
