import { OpenrayError } from '../../errors.ts';
import type { DamagedPart } from '../engine/damaged-parts.ts';
import { type ObjectName, readObject, replaceObject } from '../objects.ts';
import { type Sql, sql } from '../sql.ts';
import type { QueryOptions, Store } from '../store.ts';
import { SUMMARY_PROGRESS } from '../summary-progress.ts';
import { recordIncomplete } from './retention.ts';

/** A damaged part, as `openray repair` reports it. */
export type FoundPart = DamagedPart & {
  /** The day of arrival of its documents, as the number of days since 1970. */
  readonly day: number | undefined;
  /** The engine has moved the part aside when it started. */
  readonly isSetAside: boolean;
  /** Whether openray works correctly without the part, but for the documents in it. */
  readonly canDetach: boolean;
};

type Database = Pick<Store, 'query' | 'command'>;

const DAY_US = 86_400_000_000;
/** A check reads all data. */
const MAINTENANCE_LIMITS: QueryOptions = { timeoutMs: 24 * 3_600_000, maxMemoryBytes: 0 };
/** Tables, and whether openray works correctly without one of their parts. Another table is reported by no check. */
const TABLES: Readonly<Record<string, { readonly table: Sql; readonly canDetach: boolean }>> = {
  documents: { table: sql`documents`, canDetach: true },
  entities: { table: sql`entities`, canDetach: true },
  function_logs: { table: sql`function_logs`, canDetach: true },
  service_map: { table: sql`service_map`, canDetach: false },
  trace_summaries: { table: sql`trace_summaries`, canDetach: true },
  objects: { table: sql`objects`, canDetach: false },
  migrations: { table: sql`migrations`, canDetach: false },
};
/** Parts that the engine has set aside and an operator knows of: they are not reported any more. */
const ACKNOWLEDGED: ObjectName = { kind: 'damage', name: 'acknowledged' };

/**
 * Parts that the engine could not open at a start and has set aside, so that queries do not see them. Without those
 * that `detachParts` has acknowledged.
 */
export async function readSetAsideParts(database: Database): Promise<readonly DamagedPart[]> {
  const parts = await database.query<DamagedPart>(
    sql`
      SELECT table, name, reason FROM system.detached_parts
      WHERE database = currentDatabase() AND (reason LIKE '%broken%' OR reason = 'unexpected') ORDER BY table, name`,
  );
  if (parts.length === 0) return [];
  const acknowledged = await readAcknowledged(database);
  return parts.filter((part) => !acknowledged.names.includes(keyOf(part)));
}

/** Reads all data of all tables: some seconds a GiB. */
export async function findDamagedParts(database: Database): Promise<readonly FoundPart[]> {
  const found: FoundPart[] = (await readSetAsideParts(database)).map((part) => toFound(part, true));
  for (const [table, { table: tableSql }] of Object.entries(TABLES)) {
    // One row a part, in place of one row for the table.
    const rows = await database.query<{ part_path: string; is_passed: number; message: string }>(
      sql`CHECK TABLE ${tableSql} SETTINGS check_query_single_value_result = 0`,
      MAINTENANCE_LIMITS,
    );
    for (const { part_path: name, is_passed: isPassed, message } of rows) {
      if (isPassed === 1) continue;
      found.push(toFound({ table, name, reason: (message.split('\n')[0] ?? '').slice(0, 200) }, false));
    }
  }
  return found;
}

/**
 * Detaches parts, which leaves their files in the folder `detached` of the table, and acknowledges those that the
 * engine has set aside. Later responses say that documents of these days are missing. Throws InvalidRequestException if
 * a part cannot be detached.
 */
export async function detachParts(database: Database, parts: readonly FoundPart[]): Promise<void> {
  const kept = parts.find(({ canDetach }) => !canDetach);
  if (kept !== undefined) {
    const sentence = `Without part ${kept.name} of table ${kept.table} the store would be wrong: restore a backup`;
    throw new OpenrayError('InvalidRequestException', sentence);
  }
  const days = parts.flatMap(({ day }) => day ?? []);
  if (days.length > 0) await recordIncomplete(database, (Math.max(...days) + 1) * DAY_US);
  for (const { table, name, isSetAside } of parts) {
    const tableSql = TABLES[table]?.table;
    if (!isSetAside && tableSql) await database.command(sql`ALTER TABLE ${tableSql} DETACH PART ${name}`);
  }
  if (parts.some(({ table }) => table === 'trace_summaries')) {
    // The roll-up writes all rows again.
    await replaceObject(database, SUMMARY_PROGRESS, await readObject(database, SUMMARY_PROGRESS), undefined);
  }
  const setAside = parts.filter(({ isSetAside }) => isSetAside).map(keyOf);
  if (setAside.length === 0) return;
  const { names, stored } = await readAcknowledged(database);
  await replaceObject(database, ACKNOWLEDGED, stored, JSON.stringify([...names, ...setAside]));
}

async function readAcknowledged(database: Database) {
  const stored = await readObject(database, ACKNOWLEDGED);
  const names: readonly string[] = stored?.body === undefined ? [] : JSON.parse(stored.body);
  return { names, stored };
}

function toFound(part: DamagedPart, isSetAside: boolean): FoundPart {
  const [, day] = /(?:^|_)(\d{1,6})_\d+_\d+_\d+/.exec(part.name) ?? [];
  const isOfDay = part.table === 'documents' || part.table === 'entities';
  return {
    ...part,
    isSetAside,
    day: isOfDay && day !== undefined ? Number(day) : undefined,
    canDetach: isSetAside || TABLES[part.table]?.canDetach === true,
  };
}

const keyOf = ({ table, name }: DamagedPart): string => `${table}/${name}`;
