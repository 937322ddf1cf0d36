import type { TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { SHARED_START_US } from '../../store/attributes.ts';
import { traceIdsSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { type Prefilter, prefilterSql, type Seed } from './prefilter.ts';
import type { ListOrder, SortKey, TimeRangeType } from './sort-key.ts';

/** A trace whose sort key may have this `key`, in microseconds. */
export type CandidateRow = { readonly trace_id: TraceId; readonly key: number };

/** The window of a list, and the prefilter: conditions that hold for every trace that the filter matches. */
export type Search = {
  readonly window: TimeInterval;
  readonly timeRangeType: TimeRangeType;
  readonly prefilter: Prefilter | undefined;
  /** Condition on `trace_id`: only these traces. */
  readonly within?: Sql | undefined;
};

/**
 * In a window of starts, the prefilter reads rows that start at most this long after the end of the window. X-Ray
 * accepts no changes of a trace after 7 days. An attribute of a row may be in another one, which starts later.
 * @see https://docs.aws.amazon.com/general/latest/gr/xray.html
 */
const MAX_LATENESS_US = 7 * 86_400_000_000 + SHARED_START_US;

/** Rows of `entities` that traces of the window can have, when the traces started at `fromUs` or later. */
function entityRowPredicate({ window, timeRangeType }: Search, fromUs: number): Sql {
  if (timeRangeType !== 'TraceId') return sql`true`;
  // No entity starts before its trace.
  const toUs = Math.min(window.toUs + MAX_LATENESS_US, Number.MAX_SAFE_INTEGER);
  return inIntervalSql(sql`start_us`, { fromUs, toUs });
}

/** Conditions on `trace_id` for the windows that do not bound the start of a trace. */
function windowPredicates({ window, timeRangeType }: Search): readonly Sql[] {
  switch (timeRangeType) {
    case 'TraceId':
      return [];
    case 'Event':
      return [sql`trace_id IN (SELECT trace_id FROM documents WHERE ${inIntervalSql(sql`seq`, window)})`];
    case 'Service': {
      const ended = inIntervalSql(sql`end_us`, window);
      return [sql`trace_id IN (SELECT trace_id FROM entities WHERE is_segment AND ${ended})`];
    }
  }
}

/** A log record describes an entity and is none, so that its time is no start. */
const HAS_ENTITIES = sql`format != 'otlp-log'`;

/** Traces with an entity that started in the window. */
function startingIn(window: TimeInterval): Sql {
  return sql`trace_id IN (SELECT trace_id FROM entities WHERE ${inIntervalSql(sql`start_us`, window)})`;
}

/** All conditions on `trace_id` for traces that started at `fromUs` or later. */
function candidatePredicates(search: Search, fromUs: number): readonly Sql[] {
  const { prefilter, within } = search;
  const rows = entityRowPredicate(search, fromUs);
  return [
    ...windowPredicates(search),
    ...(within ? [within] : []),
    ...(prefilter ? [prefilterSql(prefilter, rows)] : []),
  ];
}

/**
 * Traces that have a row for which the seed holds, and its other conditions, `limit` at most, in no order. Fewer than
 * `limit` are all such traces of the window. `key` is the start of one of these rows; a log record has the latest
 * possible one.
 */
export function seedSql(search: Search, { on: { kind, row }, also }: Seed, limit: number): Sql {
  const ofWindow = entityRowPredicate(search, search.window.fromUs);
  const where = [row, ...also.map((part) => prefilterSql(part, ofWindow)), ...(search.within ? [search.within] : [])];
  const rows =
    kind === 'entity' ? sql`entities WHERE ${sql.and([ofWindow, ...where])}` : sql`documents WHERE ${sql.and(where)}`;
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key FROM (
      SELECT trace_id AS trace, start_us AS key FROM ${rows} LIMIT 1 BY trace LIMIT ${limit}
    )`;
}

/**
 * The newest rows with the name, one for each entity. They are sorted by it within an hour, so that the engine reads
 * little more than these. `lastUs`: rows that start then or earlier.
 */
export function newestRowsSql(search: Search, name: string, lastUs: number | undefined, limit: number): Sql {
  const where = [
    entityRowPredicate(search, search.window.fromUs),
    sql`name = ${name}`,
    ...(lastUs === undefined ? [] : [sql`start_us <= ${lastUs}`]),
    ...(search.within ? [search.within] : []),
  ];
  return sql`
    SELECT lower(hex(trace_id)) AS trace_id, start_us AS key FROM entities WHERE ${sql.and(where)}
    ORDER BY intDiv(start_us, 3600000000) DESC, name DESC, start_us DESC LIMIT ${limit}`;
}

/** Starts of traces; `key` is exact. */
export function traceStartsSql(traceIds: readonly TraceId[]): Sql {
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key FROM (
      SELECT trace_id AS trace, min(start_us) AS key FROM documents
      WHERE trace_id IN ${traceIdsSql(traceIds)} AND ${HAS_ENTITIES} GROUP BY trace
    )`;
}

export type StartsQuery = {
  /** Only traces that started in it. */
  readonly slice: TimeInterval;
  readonly isDescending: boolean;
  readonly after: SortKey | undefined;
  readonly limit: number;
  /** Leaves out the traces that certainly have a value for this order. */
  readonly withoutValueFor: ListOrder['by'] | undefined;
};

/**
 * Traces by their start. `key` is exact, since the primary key of `documents` finds all documents of a trace. A trace
 * that started in the slice has a row that starts in it, so that a slice needs no rows of other times; but the row
 * that the filter asks for may start later.
 */
export function byStartSql(search: Search, { slice, isDescending, after, limit, withoutValueFor }: StartsQuery): Sql {
  const predicates = candidatePredicates(search, slice.fromUs);
  const isWhole =
    search.timeRangeType !== 'TraceId' || (search.prefilter !== undefined && slice.toUs >= search.window.toUs);
  // The subquery applies the predicates, since a look-up in the set of all traces of the slice would cost more.
  const inSlice = sql.and([inIntervalSql(sql`start_us`, slice), ...predicates]);
  const where = [
    HAS_ENTITIES,
    ...(isWhole ? predicates : [sql`trace_id IN (SELECT trace_id FROM entities WHERE ${inSlice})`]),
    ...(withoutValueFor === undefined
      ? []
      : [sql`trace_id NOT IN (${tracesWithValueSql(search, withoutValueFor, predicates)})`]),
  ];
  const having = [inIntervalSql(sql`key`, slice), ...(after ? [keysetSql(after, isDescending)] : [])];
  return keyedSql(
    sql`SELECT trace_id AS trace, min(start_us) AS key FROM documents
      WHERE ${sql.and(where)} GROUP BY trace HAVING ${sql.and(having)}`,
    isDescending,
    limit,
  );
}

export type ValuesQuery = {
  /** Only values in it. */
  readonly slice: TimeInterval;
  readonly isDescending: boolean;
  /** Only values after this sort key. */
  readonly after: SortKey | undefined;
  readonly limit: number;
};

/**
 * Rows by their value, with the trace of each. The value of a trace is the value of one of its rows. So each trace is
 * found at its own sort key, and it may also be found at others; it never comes before the first of its rows.
 */
export function byRowValueSql(
  search: Search,
  by: 'updated' | 'ended' | 'responsetime',
  { slice, isDescending, after, limit }: ValuesQuery,
): Sql {
  const { table, value, rows } = rowValues(search, by, slice);
  const cursor = after && cursorSql(after);
  const bound =
    cursor && (isDescending ? sql`(${value}, trace_id) < ${cursor}` : sql`(${value}, trace_id) > ${cursor}`);
  const where = sql.and([...rows, ...(bound ? [bound] : []), ...candidatePredicates(search, search.window.fromUs)]);
  return keyedSql(sql`SELECT trace_id AS trace, ${value} AS key FROM ${table} WHERE ${where}`, isDescending, limit);
}

function rowValues(search: Search, by: 'updated' | 'ended' | 'responsetime', slice: TimeInterval) {
  switch (by) {
    case 'updated':
      return { table: sql`documents`, value: sql`seq`, rows: [inIntervalSql(sql`seq`, slice)] };
    case 'ended':
      return {
        table: sql`entities`,
        value: sql`end_us`,
        rows: [sql`is_segment`, inIntervalSql(sql`end_us`, slice)],
      };
    case 'responsetime':
      return {
        table: sql`entities`,
        value: sql`duration_us`,
        rows: [sql`is_root AND end_us > 0`, entityRowPredicate(search, search.window.fromUs)],
      };
  }
}

/**
 * Traces by a bound of their duration. Longest first: an upper bound, from the first start to the last end of all
 * documents that arrived. Shortest first: a lower bound, from the first start to the last end of segments that arrived
 * once, since those always count.
 */
export function byDurationSql(search: Search, { isDescending, after, limit }: Omit<ValuesQuery, 'slice'>): Sql {
  const { fromUs } = search.window;
  const isStartWindow = search.timeRangeType === 'TraceId';
  const where = candidatePredicates(search, fromUs);
  const having = after ? [keysetSql(after, isDescending)] : [];
  const within = [...where, ...(isStartWindow && search.prefilter === undefined ? [startingIn(search.window)] : [])];
  const startedIn = isStartWindow ? [inIntervalSql(sql`min(start_us)`, search.window)] : [];
  const longest = sql`
    SELECT trace_id AS trace, greatest(max(end_us), min(start_us)) - min(start_us) AS key FROM documents
    WHERE ${sql.and(within)} GROUP BY trace
    HAVING ${sql.and([...startedIn, ...having])}`;
  const shortest = sql`
    SELECT trace, greatest(maxIf(last, is_sure), minIf(first, is_sure)) - minIf(first, is_sure) AS key FROM (
      SELECT trace_id AS trace, min(start_us) AS first, max(end_us) AS last,
        count() = 1 AND any(is_segment) AND last > 0 AS is_sure
      FROM entities WHERE ${sql.and([entityRowPredicate(search, fromUs), ...where])} GROUP BY trace, id
    ) GROUP BY trace HAVING ${sql.and(having)}`;
  return keyedSql(isDescending ? longest : shortest, isDescending, limit);
}

function keyedSql(traces: Sql, isDescending: boolean, limit: number): Sql {
  const direction = isDescending ? sql`DESC` : sql`ASC`;
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key
    FROM (${traces} ORDER BY key ${direction}, trace ${direction} LIMIT ${limit})`;
}

function keysetSql(after: SortKey, isDescending: boolean): Sql {
  return isDescending ? sql`(key, trace) < ${cursorSql(after)}` : sql`(key, trace) > ${cursorSql(after)}`;
}

function cursorSql({ key, traceId }: SortKey): Sql {
  return sql`(${key}, toFixedString(unhex(${traceId}), 16))`;
}

/**
 * Traces that have a value for the order, however `assembleTrace` resolves repeated documents. For other traces the
 * pure functions decide. A trace has a response time when it has a segment without a parent and each such segment has
 * ended. It has a duration when it has a segment and all entities have ended.
 */
function tracesWithValueSql(search: Search, by: ListOrder['by'], predicates: readonly Sql[]): Sql {
  const rows = sql.and([entityRowPredicate(search, search.window.fromUs), ...predicates]);
  const isClear = sql`NOT hasAny(groupUniqArrayIf(id, is_segment), groupUniqArrayIf(id, NOT is_segment))`;
  const isValued =
    by === 'duration'
      ? sql`countIf(end_us = 0) = 0 AND countIf(is_segment) > 0 AND ${isClear}`
      : sql`countIf(is_root) > 0 AND uniqExactIf(id, is_root) = uniqExactIf(id, is_root AND end_us > 0)
          AND NOT hasAny(groupUniqArrayIf(id, is_root), groupUniqArrayIf(id, NOT is_root))`;
  return sql`SELECT trace_id FROM entities WHERE ${rows} GROUP BY trace_id HAVING ${isValued}`;
}
