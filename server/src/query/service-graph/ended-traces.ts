import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { subjectOf } from '../../filter/subject.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { pushDownFilter } from '../traces/filter-pushdown.ts';
import { assembledTraces, documentGroups } from '../traces/load-traces.ts';
import { prefilterSql } from '../traces/prefilter.ts';
import { isDecidedByRow, rowConditionSql } from '../traces/row-filters.ts';
import { readRowState } from '../traces/row-scan.ts';
import { STORED_SUMMARY, type StoredSummary, subjectFromStored } from '../traces/stored-summaries.ts';
import type { SummaryState } from '../traces/summary-state.ts';

const BATCH = 100;
/** Limit for a question that has to load each trace of its window. */
const MAX_MS = 30_000;

/**
 * The matching traces that have an entity which ended in the window, up to BATCH at a time, in no order. Loads each
 * trace that may match, or its first part: of traces for which rows of `trace_summaries` decide the filter, the matching
 * ones. Throws QueryTimeout after `timeoutMs` (default MAX_MS).
 */
export async function* tracesEndingIn(
  store: Store,
  window: TimeInterval,
  filter: Filter | undefined,
  options: QueryOptions,
): AsyncGenerator<readonly Trace[]> {
  const deadline = performance.now() + (options.timeoutMs ?? MAX_MS);
  const traceIds = await matchingTraceIds(store, window, filter, options);
  for (let first = 0; first < traceIds.length; first += BATCH) {
    if (performance.now() > deadline) {
      throw new OpenrayError('QueryTimeout', 'Reading this many traces exceeded the time limit; use a smaller window');
    }
    for await (const group of documentGroups(store, traceIds.slice(first, first + BATCH), options)) {
      const traces = assembledTraces(group);
      yield filter === undefined ? traces : traces.filter((trace) => matches(filter, subjectOf(trace)));
    }
  }
}

/** Each trace once, in no order; also traces that do not match, unless rows decide. */
async function matchingTraceIds(
  store: Store,
  window: TimeInterval,
  filter: Filter | undefined,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const traceIds = await endedTraceIds(store, window, filter, options);
  // A batch of traces is loaded in the time that it takes to find their rows.
  if (filter === undefined || traceIds.length <= BATCH || !isDecidedByRow(filter.condition)) return traceIds;
  const rows = await readRowState(store, options);
  const open = await rows?.open;
  if (rows === undefined || open === undefined) return traceIds;
  const matching = await matchingRows(store, window, filter, rows.state, options);
  return traceIds.filter((id) => open.latestStarts.has(id) || matching.has(id));
}

/** Traces with a row that matches. It is current if the trace is not open. */
async function matchingRows(
  store: Store,
  window: TimeInterval,
  filter: Filter,
  { droppedBeforeUs }: SummaryState,
  options: QueryOptions,
): Promise<ReadonlySet<TraceId>> {
  const condition = rowConditionSql(filter.condition);
  const where = [
    sql`start_us > 0 AND end_us >= ${window.fromUs}`,
    sql`trace_id IN (SELECT trace_id FROM entities WHERE ${inIntervalSql(sql`end_us`, window)})`,
    ...(droppedBeforeUs > 0 ? [sql`first_seq >= ${droppedBeforeUs}`] : []),
    ...(condition ? [condition] : []),
  ];
  const matching = new Set<TraceId>();
  const statement = sql`SELECT ${STORED_SUMMARY} FROM trace_summaries FINAL WHERE ${sql.and(where)}`;
  for await (const row of store.stream<StoredSummary>(statement, options)) {
    if (matches(filter, subjectFromStored(row))) matching.add(row.trace_id);
  }
  return matching;
}

/** Traces that may match. */
async function endedTraceIds(
  store: Store,
  window: TimeInterval,
  filter: Filter | undefined,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const prefilter = filter && pushDownFilter(filter.condition);
  const where = sql.and([
    inIntervalSql(sql`end_us`, window),
    ...(prefilter ? [prefilterSql(prefilter, sql`true`)] : []),
  ]);
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities WHERE ${where}`,
    options,
  );
  return rows.map((row) => row.trace_id);
}
