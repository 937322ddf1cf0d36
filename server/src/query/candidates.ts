import type { Filter } from '../filter/ast.ts';
import type { Entity } from '../model/entity.ts';
import type { Trace } from '../model/trace.ts';
import type { TraceId } from '../model/trace-id.ts';
import { type Sql, sql } from '../store/sql.ts';
import { narrowSql } from './filter-sql.ts';
import { isWithin, type TimeWindow } from './window.ts';

/** By which of its times a trace is in a window: its start, the last arrival of a part, or the end of a segment. */
export type TimeRangeType = 'TraceId' | 'Event' | 'Service';

/** Place in the order of a list: newest first, ties by the larger id first. */
export type Cursor = { readonly keyUs: number; readonly traceId: string };

export type CandidateRow = { readonly trace_id: TraceId; readonly key_us: number };

export type CandidateQuery = {
  readonly window: TimeWindow;
  readonly by: TimeRangeType;
  readonly after: Cursor | undefined;
  readonly filter: Filter | undefined;
  readonly limit: number;
};

/**
 * Traces that may be in the window, newest first, each with one key: the earliest start in the window, the last
 * arrival, or the last end in the window. Whether a trace really is in the window is for `isCandidate` to say,
 * with the whole trace at hand. Cost grows with the rows of the window.
 */
export function candidatesSql({ window, by, after, filter, limit }: CandidateQuery): Sql {
  const { table, key, rows, bound, entities } = SOURCES[by];
  const narrow = filter && narrowSql(filter.condition, entities(window));
  const where = sql.and([rows(window), ...(after ? bound(after) : []), ...(narrow ? [narrow] : [])]);
  const having = sql.and([
    sql`key_us < ${window.toUs}`,
    ...(after ? [sql`(key_us, trace) < (${after.keyUs}, toFixedString(unhex(${after.traceId}), 16))`] : []),
  ]);
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key_us
    FROM (
      SELECT trace_id AS trace, ${key} AS key_us
      FROM ${table}
      WHERE ${where}
      GROUP BY trace
      HAVING ${having}
      ORDER BY key_us DESC, trace DESC
      LIMIT ${limit}
    )`;
}

/** Traces in which anything ended in the window, each once, in no order. */
export function endedTracesSql(window: TimeWindow, filter: Filter | undefined): Sql {
  const narrow = filter && narrowSql(filter.condition, sql`true`);
  const where = sql.and([sql`end_us >= ${window.fromUs} AND end_us < ${window.toUs}`, ...(narrow ? [narrow] : [])]);
  return sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities WHERE ${where}`;
}

type Source = {
  readonly table: Sql;
  readonly key: Sql;
  rows(window: TimeWindow): Sql;
  /** Rows that a later page can do without. A latest time needs them all, lest an earlier row pass for it. */
  bound(after: Cursor): readonly Sql[];
  /** Entity rows among which a filter has to find what it asks for: nothing of a trace starts before the trace. */
  entities(window: TimeWindow): Sql;
};

const SOURCES: Readonly<Record<TimeRangeType, Source>> = {
  TraceId: {
    table: sql`entities`,
    key: sql`min(start_us)`,
    rows: ({ fromUs, toUs }) => sql`start_us >= ${fromUs} AND start_us < ${toUs}`,
    bound: ({ keyUs }) => [sql`start_us <= ${keyUs}`],
    entities: ({ fromUs }) => sql`start_us >= ${fromUs}`,
  },
  Event: {
    table: sql`documents`,
    key: sql`max(seq)`,
    rows: ({ fromUs }) => sql`seq >= ${fromUs}`,
    bound: () => [],
    entities: () => sql`true`,
  },
  Service: {
    table: sql`entities`,
    key: sql`max(end_us)`,
    rows: ({ fromUs, toUs }) => sql`is_segment AND end_us >= ${fromUs} AND end_us < ${toUs}`,
    bound: () => [],
    entities: () => sql`true`,
  },
};

/** Whether the whole trace is in the window. */
export function isCandidate(trace: Trace, by: TimeRangeType, window: TimeWindow): boolean {
  switch (by) {
    case 'TraceId':
      return isWithin(window, startOf(trace));
    case 'Event':
      return isWithin(window, trace.updatedUs);
    case 'Service':
      return trace.segments.some((segment) => endedIn(window, segment));
  }
}

export function endedIn(window: TimeWindow, { endUs }: Entity): boolean {
  return endUs !== undefined && isWithin(window, endUs);
}

/** Earliest start of anything in the trace, also of parts whose parent has not arrived. */
function startOf(trace: Trace): number {
  let startUs = Number.POSITIVE_INFINITY;
  for (const entity of trace.entities.values()) startUs = Math.min(startUs, entity.startUs);
  return startUs;
}
