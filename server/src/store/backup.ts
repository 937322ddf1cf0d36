import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';
import { firstLine, toStoreFailure } from './clickhouse-errors.ts';
import type { CallOptions, Engine } from './engine.ts';
import { parseRows, renderSql, type Sql, sql } from './sql.ts';

/** A table on its way into or out of a backup. */
export type TableCopy = {
  readonly table: string;
  readonly isDone: boolean;
  /** Of all its rows; 0 before it is done. */
  readonly bytes: number;
  /** Where the backup is, as ClickHouse writes it: `File('/var/backups/monday')`. */
  readonly destination: string;
};

export type BackupOptions = {
  readonly name: string;
  /** Ends it after the table that it is at; what there is of the backup then can not be restored. */
  readonly signal: AbortSignal;
};

/**
 * The order in which tables are copied, one after the other, while rows come in. Sums count documents that are stored,
 * and a document has its entity rows before it can be seen, so that each table may know less than the next.
 * `migrations` ends a backup: without it nothing is restored.
 */
const FIRST_TABLES: readonly string[] = ['service_map', 'documents', 'entities'];
const LAST_TABLE = 'migrations';

/** What tables are called in every backup, whatever the database is called. */
const DATABASE_IN_BACKUP = 'openray';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const DAY_MS = 86_400_000;
const POLL_INTERVAL_MS = { least: 20, most: 1_000 };

/** Copies all tables, with the engine's own BACKUP. Yields now and then. Throws what `copyTable` does. */
export async function* backUp(engine: Engine, { name, signal }: BackupOptions): AsyncGenerator<TableCopy> {
  for (const table of [...(await tablesInOrder(engine)), LAST_TABLE]) {
    if (signal.aborted) throw new OpenrayError('RequestCancelled', 'The backup was stopped; it can not be restored');
    yield* copyTable(engine, { verb: 'BACKUP', table, name });
  }
}

/** All tables that hold rows, but for `migrations`. */
export async function tablesInOrder(engine: Engine): Promise<readonly string[]> {
  const rows = await queryRows<{ name: string }>(
    engine,
    sql`
      SELECT replaceRegexpOne(name, '_local$', '') AS name FROM system.tables
      WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name`,
  );
  const rest = rows.map((row) => row.name).filter((name) => name !== LAST_TABLE && !FIRST_TABLES.includes(name));
  return [...FIRST_TABLES, ...rest];
}

/** A backup is a folder in the one place for backups, and never names another. Throws InvalidRequestException. */
export function requireBackupName(name: string): void {
  if (NAME.test(name)) return;
  throw new OpenrayError(
    'InvalidRequestException',
    'A backup has a name of up to 100 letters, digits, dots, hyphens and underscores',
  );
}

export type CopyRequest = {
  readonly verb: 'BACKUP' | 'RESTORE';
  readonly table: string;
  readonly name: string;
};

/**
 * Runs BACKUP or RESTORE of one table, beside everything else that the engine does. Throws InvalidRequestException when
 * there is such a backup already, ResourceNotFoundException when there is none to restore, SettingInvalid when the
 * engine has no place for backups.
 */
export async function* copyTable(engine: Engine, { verb, table, name }: CopyRequest): AsyncGenerator<TableCopy> {
  const id = randomUUID();
  const place = engine.backupDestination(`${name}/${table}`);
  const inBackup = `${DATABASE_IN_BACKUP}.${table}`;
  const query =
    verb === 'BACKUP'
      ? `BACKUP TABLE ${table} AS ${inBackup} TO ${place} SETTINGS id = '${id}' ASYNC`
      : // Tables of one version may differ in their settings.
        `RESTORE TABLE ${inBackup} AS ${table} FROM ${place}
         SETTINGS id = '${id}', allow_different_table_def = 1, allow_non_empty_tables = ${table === LAST_TABLE ? 1 : 0} ASYNC`;
  await engine.command({ query, params: {} }, { ...CALL, timeoutMs: DAY_MS }).catch((thrown) => {
    throw toBackupFailure(thrown instanceof OpenrayError ? thrown.cause : thrown, name);
  });
  for (let waitMs = POLL_INTERVAL_MS.least; ; waitMs = Math.min(2 * waitMs, POLL_INTERVAL_MS.most)) {
    const [state] = await queryRows<{ nodes: number; running: number; error: string; bytes: number }>(
      engine,
      sql`
        SELECT count() AS nodes, countIf(status IN ('CREATING_BACKUP', 'RESTORING')) AS running,
               anyIf(error, error != '') AS error, sum(total_size) AS bytes
        FROM ${engine.backups} WHERE id = ${id}`,
    );
    if (state === undefined || state.nodes === 0) {
      throw new OpenrayError('ServiceUnavailable', 'ClickHouse was started again and has forgotten the backup');
    }
    if (state.error !== '') throw toBackupFailure(new Error(state.error), name);
    const isDone = state.running === 0;
    yield { table, isDone, bytes: isDone ? state.bytes : 0, destination: engine.backupDestination(name) };
    if (isDone) return;
    await delay(waitMs);
  }
}

const CALL: CallOptions = { signal: undefined, timeoutMs: 60_000, maxMemoryBytes: 0 };

async function queryRows<Row>(engine: Engine, statement: Sql): Promise<readonly Row[]> {
  return parseRows<Row>(await engine.query(renderSql(statement), CALL));
}

function toBackupFailure(cause: unknown, name: string): OpenrayError {
  const reason = firstLine(cause);
  if (/\(BACKUP_ALREADY_EXISTS\)/.test(reason)) {
    return new OpenrayError('InvalidRequestException', `There is a backup ${name} already`, { cause });
  }
  if (/\((BACKUP_NOT_FOUND|BACKUP_ENTRY_NOT_FOUND)\)/.test(reason)) {
    const sentence = `There is no backup ${name}, or it was not finished, or is one of another kind of store`;
    return new OpenrayError('ResourceNotFoundException', sentence, { cause });
  }
  if (/'backups\.allowed_path'|'backups\.allowed_disk'/.test(reason)) {
    const sentence = `ClickHouse has no place for backups: set backups.allowed_path or allowed_disk there (${reason})`;
    return new OpenrayError('SettingInvalid', sentence, { cause });
  }
  return toStoreFailure(cause);
}
