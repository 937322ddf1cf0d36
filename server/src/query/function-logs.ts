import type { LogEvent } from '../model/log-event.ts';
import type { TimeInterval } from '../model/time-interval.ts';
import type { TraceId } from '../model/trace-id.ts';
import { idSql } from '../store/ids.ts';
import { type Sql, sql } from '../store/sql.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { inIntervalSql } from './interval-sql.ts';

export type LogQuery = {
  readonly window: TimeInterval;
  readonly traceId?: TraceId | undefined;
  readonly requestId?: string | undefined;
  readonly functionName?: string | undefined;
  /** A part of the text, with the same case. */
  readonly contains?: string | undefined;
  readonly limit: number;
};

type LogRow = {
  readonly function_name: string;
  readonly at_us: number;
  readonly trace: string;
  readonly request_id: string;
  readonly log_group: string;
  readonly log_stream: string;
  readonly source: LogEvent['source'];
  readonly level: string;
  readonly text: string;
};

/** Oldest first, `limit` at most. The next page is the same query with a window that begins after the last event. */
export function functionLogsSql({ window, traceId, requestId, functionName, contains, limit }: LogQuery): Sql {
  const where = sql.and([
    inIntervalSql(sql`at_us`, window),
    ...(traceId === undefined ? [] : [sql`trace_id = ${idSql(traceId)}`]),
    ...(requestId === undefined ? [] : [sql`request_id = ${requestId}`]),
    ...(functionName === undefined ? [] : [sql`function_name = ${functionName}`]),
    ...(contains === undefined ? [] : [sql`position(text, ${contains}) > 0`]),
  ]);
  return sql`
    SELECT function_name, at_us, lower(hex(trace_id)) AS trace, request_id, log_group, log_stream, source, level, text
    FROM function_logs
    WHERE ${where}
    ORDER BY at_us, function_name
    LIMIT ${limit}`;
}

export async function findLogs(
  store: Store,
  query: LogQuery,
  options: QueryOptions = {},
): Promise<readonly LogEvent[]> {
  const rows = await store.query<LogRow>(functionLogsSql(query), options);
  return rows.map((row) => ({
    functionName: row.function_name,
    atUs: row.at_us,
    traceId: /^0+$/.test(row.trace) ? undefined : (row.trace as TraceId),
    requestId: row.request_id === '' ? undefined : row.request_id,
    logGroup: row.log_group,
    logStream: row.log_stream,
    source: row.source,
    level: row.level,
    text: row.text,
  }));
}
