import type { TimeInterval } from '../model/time-interval.ts';
import { type Sql, sql } from '../store/sql.ts';

/** Condition that a column of microseconds lies in the interval. */
export function inIntervalSql(column: Sql, { fromUs, toUs }: TimeInterval): Sql {
  return sql`${column} >= ${fromUs} AND ${column} < ${toUs}`;
}
