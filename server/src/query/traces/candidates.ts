import type { TraceId } from '../../model/trace-id.ts';
import { traceIdsSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { TimeWindow } from '../time-interval.ts';
import { type Prefilter, prefilterSql } from './prefilter.ts';
import type { ListOrder, SortKey, TimeRangeType } from './sort-key.ts';

/** A trace that may stand at `key` in the list. */
export type CandidateRow = { readonly trace_id: TraceId; readonly key: number };

/** What lists are made of: the window, and what is known of every trace that the filter matches. */
export type Search = {
  readonly window: TimeWindow;
  readonly timeRangeType: TimeRangeType;
  readonly prefilter: Prefilter | undefined;
};

/**
 * Parts of a trace that start later than this after the end of a window of starts are not searched for what a filter
 * asks. X-Ray takes no changes of a trace after 7 days.
 * @see https://docs.aws.amazon.com/general/latest/gr/xray.html
 */
const MAX_LATENESS_US = 7 * 86_400_000_000;

/** Rows of `entities` that a trace of the window can have, those of traces that started at `fromUs` or later. */
function entityRowPredicate({ window, timeRangeType: by }: Search, fromUs: number): Sql {
  // Nothing of a trace starts before the trace does.
  return by === 'TraceId'
    ? sql`start_us >= ${fromUs} AND start_us < ${Math.min(window.toUs + MAX_LATENESS_US, Number.MAX_SAFE_INTEGER)}`
    : sql`true`;
}

/** Conditions on `trace_id` for windows that starts do not tell. */
function windowPredicates({ window: { fromUs, toUs }, timeRangeType: by }: Search): readonly Sql[] {
  switch (by) {
    case 'TraceId':
      return [];
    case 'Event':
      return [sql`trace_id IN (SELECT trace_id FROM documents WHERE seq >= ${fromUs} AND seq < ${toUs})`];
    case 'Service':
      return [
        sql`trace_id IN (SELECT trace_id FROM entities WHERE is_segment AND end_us >= ${fromUs} AND end_us < ${toUs})`,
      ];
  }
}

/** Log records say something of entities and are none: they start nothing. */
const HAS_ENTITIES = sql`format != 'otlp-log'`;

/** Traces of which something started in the window. */
function startingIn({ fromUs, toUs }: TimeWindow): Sql {
  return sql`trace_id IN (SELECT trace_id FROM entities WHERE start_us >= ${fromUs} AND start_us < ${toUs})`;
}

/** All conditions on `trace_id` for traces that started at `fromUs` or later. */
function candidatePredicates(search: Search, fromUs: number): readonly Sql[] {
  const { prefilter: narrow } = search;
  return [...windowPredicates(search), ...(narrow ? [prefilterSql(narrow, entityRowPredicate(search, fromUs))] : [])];
}

/**
 * Traces that have a row of the kind, `limit` at most, in no order: all that the window has where there are fewer. `key`
 * is when one of these rows started.
 */
export function seedSql(search: Search, row: Sql, limit: number): Sql {
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key FROM (
      SELECT trace_id AS trace, start_us AS key FROM entities
      WHERE ${sql.and([entityRowPredicate(search, search.window.fromUs), row])}
      LIMIT 1 BY trace LIMIT ${limit}
    )`;
}

/** Starts of traces, `key` being exact. */
export function traceStartsSql(traceIds: readonly TraceId[]): Sql {
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key FROM (
      SELECT trace_id AS trace, min(start_us) AS key FROM documents
      WHERE trace_id IN ${traceIdsSql(traceIds)} AND ${HAS_ENTITIES} GROUP BY trace
    )`;
}

export type StartsQuery = {
  /** Only traces that started in here. */
  readonly slice: TimeWindow;
  readonly isDescending: boolean;
  readonly after: SortKey | undefined;
  readonly limit: number;
  /** Traces that have no value for an order by it, as far as SQL can tell. */
  readonly withoutValueFor: ListOrder['by'] | undefined;
};

/**
 * Traces by their start, which is exact: `documents` tell it by primary key. A trace that started in the slice has a row
 * that starts in it, so that slices need no look at other times; what a filter asks for may be in any later row.
 */
export function byStartSql(
  search: Search,
  { slice, isDescending, after, limit, withoutValueFor: without }: StartsQuery,
): Sql {
  const { fromUs, toUs } = slice;
  const narrowed = candidatePredicates(search, fromUs);
  const isWhole = search.timeRangeType !== 'TraceId' || (search.prefilter !== undefined && toUs >= search.window.toUs);
  // One small set: that of all traces of the slice would cost more to look up than to narrow first.
  const inSlice = sql.and([sql`start_us >= ${fromUs} AND start_us < ${toUs}`, ...narrowed]);
  const where = [
    HAS_ENTITIES,
    ...(isWhole ? narrowed : [sql`trace_id IN (SELECT trace_id FROM entities WHERE ${inSlice})`]),
    ...(without === undefined ? [] : [sql`trace_id NOT IN (${tracesWithValueSql(search, without, narrowed)})`]),
  ];
  const having = [sql`key >= ${fromUs} AND key < ${toUs}`, ...(after ? [keysetSql(after, isDescending)] : [])];
  return keyedSql(
    sql`SELECT trace_id AS trace, min(start_us) AS key FROM documents
      WHERE ${sql.and(where)} GROUP BY trace HAVING ${sql.and(having)}`,
    isDescending,
    limit,
  );
}

export type ValuesQuery = {
  /** Only values from the first to before the second. */
  readonly slice: TimeWindow;
  readonly isDescending: boolean;
  /** No values before this one. */
  readonly after: SortKey | undefined;
  readonly limit: number;
};

/**
 * Rows by their value, with their traces: a trace's own value is that of one of its rows, so that no trace has its place
 * before the first of its rows here, and each has one in its place.
 */
export function byRowValueSql(
  search: Search,
  by: 'updated' | 'ended' | 'responsetime',
  { slice, isDescending, after, limit }: ValuesQuery,
): Sql {
  const { table, value, rows } = rowValues(search, by, slice);
  const place = after && sql`(${after.key}, toFixedString(unhex(${after.traceId}), 16))`;
  const bound = place && (isDescending ? sql`(${value}, trace_id) < ${place}` : sql`(${value}, trace_id) > ${place}`);
  const where = sql.and([...rows, ...(bound ? [bound] : []), ...candidatePredicates(search, search.window.fromUs)]);
  return keyedSql(sql`SELECT trace_id AS trace, ${value} AS key FROM ${table} WHERE ${where}`, isDescending, limit);
}

function rowValues(search: Search, by: 'updated' | 'ended' | 'responsetime', { fromUs, toUs }: TimeWindow) {
  switch (by) {
    case 'updated':
      return { table: sql`documents`, value: sql`seq`, rows: [sql`seq >= ${fromUs} AND seq < ${toUs}`] };
    case 'ended':
      return {
        table: sql`entities`,
        value: sql`end_us`,
        rows: [sql`is_segment AND end_us >= ${fromUs} AND end_us < ${toUs}`],
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
 * Traces by a bound of their duration. Longest first: what lies between the first start and the last end of all that
 * arrived, which is never less than the duration. Shortest first: what lies between those of segments that arrived once,
 * which always count, so that it is never more.
 */
export function byDurationSql(search: Search, { isDescending, after, limit }: Omit<ValuesQuery, 'slice'>): Sql {
  const { fromUs, toUs } = search.window;
  const where = candidatePredicates(search, fromUs);
  const having = after ? keysetSql(after, isDescending) : sql`true`;
  const within = [
    ...where,
    ...(search.timeRangeType === 'TraceId' && search.prefilter === undefined ? [startingIn(search.window)] : []),
  ];
  const longest = sql`
    SELECT trace_id AS trace, greatest(max(end_us), min(start_us)) - min(start_us) AS key FROM documents
    WHERE ${sql.and(within)} GROUP BY trace
    HAVING ${search.timeRangeType === 'TraceId' ? sql`min(start_us) >= ${fromUs} AND min(start_us) < ${toUs} AND ` : sql``}${having}`;
  const shortest = sql`
    SELECT trace, greatest(maxIf(last, is_sure), minIf(first, is_sure)) - minIf(first, is_sure) AS key FROM (
      SELECT trace_id AS trace, min(start_us) AS first, max(end_us) AS last,
        count() = 1 AND any(is_segment) AND last > 0 AS is_sure
      FROM entities WHERE ${sql.and([entityRowPredicate(search, fromUs), ...where])} GROUP BY trace, id
    ) GROUP BY trace HAVING ${having}`;
  return keyedSql(isDescending ? longest : shortest, isDescending, limit);
}

function keyedSql(traces: Sql, isDescending: boolean, limit: number): Sql {
  const direction = isDescending ? sql`DESC` : sql`ASC`;
  return sql`
    SELECT lower(hex(trace)) AS trace_id, key
    FROM (${traces} ORDER BY key ${direction}, trace ${direction} LIMIT ${limit})`;
}

function keysetSql({ key, traceId }: SortKey, isDescending: boolean): Sql {
  const place = sql`(${key}, toFixedString(unhex(${traceId}), 16))`;
  return isDescending ? sql`(key, trace) < ${place}` : sql`(key, trace) > ${place}`;
}

/**
 * Traces that have a value for the order whatever `assembleTrace` makes of repeated documents; of others the pure
 * functions tell. A response time is that of the root: some segment without a parent, and each such has ended. A
 * duration is there when everything has ended and there is a segment.
 */
function tracesWithValueSql(search: Search, by: ListOrder['by'], narrowed: readonly Sql[]): Sql {
  const rows = sql.and([entityRowPredicate(search, search.window.fromUs), ...narrowed]);
  const isClear = sql`NOT hasAny(groupUniqArrayIf(id, is_segment), groupUniqArrayIf(id, NOT is_segment))`;
  const isValued =
    by === 'duration'
      ? sql`countIf(end_us = 0) = 0 AND countIf(is_segment) > 0 AND ${isClear}`
      : sql`countIf(is_root) > 0 AND uniqExactIf(id, is_root) = uniqExactIf(id, is_root AND end_us > 0)
          AND NOT hasAny(groupUniqArrayIf(id, is_root), groupUniqArrayIf(id, NOT is_root))`;
  return sql`SELECT trace_id FROM entities WHERE ${rows} GROUP BY trace_id HAVING ${isValued}`;
}
