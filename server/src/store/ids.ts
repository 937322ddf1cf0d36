import type { EntityId, TraceId } from '../model/trace-id.ts';
import { type Sql, sql } from './sql.ts';

/**
 * Ids in SQL. Columns hold the raw bytes (FixedString(16) of a trace, FixedString(8) of an entity), results and
 * parameters the hex form; zero bytes mean "none". Both comparisons use the primary key of `documents`.
 * In a select list: `lower(hex(trace_id)) AS trace_id`.
 */
export const idSql = (id: TraceId | EntityId): Sql => sql`unhex(${id})`;

/** Up to this many ids are written as literals, so that a cluster can skip the shards without them. */
const MAX_INLINE_IDS = 20;

/** For `trace_id IN ${traceIdsSql(ids)}`, any number of ids. */
export function traceIdsSql(ids: readonly TraceId[]): Sql {
  if (ids.length === 0 || ids.length > MAX_INLINE_IDS) {
    return sql`(SELECT toFixedString(unhex(arrayJoin(${sql.typed(ids, 'Array(String)')})), 16))`;
  }
  return sql`(${sql.join(ids.map((id) => sql`toFixedString(unhex(${id}), 16)`))})`;
}
