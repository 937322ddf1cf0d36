import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../../errors.ts';
import { firstLine, toStoreFailure } from '../engine/clickhouse-errors.ts';
import type { CallOptions, Engine } from '../engine/engine.ts';
import { parseRows, renderSql, type Sql, sql } from '../sql.ts';
import type { TableCopy } from '../store.ts';

export type BackupOptions = {
  readonly name: string;
  /** Stops the backup after the current table. A stopped backup cannot be restored. */
  readonly signal: AbortSignal;
};

/**
 * The order in which tables are copied, one after the other, while rows are inserted. Roll-ups and
 * summaries cover stored documents, summaries never fewer than the roll-ups,
 * and the entity rows of a document are inserted before it. So each table may lack rows that the next one has, but
 * never the reverse. `migrations` completes a backup: a backup without it is not restored.
 */
const FIRST_TABLES: readonly string[] = ['service_map', 'trace_summaries', 'documents', 'entities'];
const LAST_TABLE = 'migrations';

/** Database of the tables in every backup, independent of the name of the real database. */
const DATABASE_IN_BACKUP = 'openray';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const DAY_MS = 86_400_000;
const POLL_INTERVAL_MS = { least: 20, most: 1_000 };

/** Copies all tables with the engine's own BACKUP. Yields the progress of each table. Throws as `copyTable` does. */
export async function* backUp(engine: Engine, { name, signal }: BackupOptions): AsyncGenerator<TableCopy> {
  for (const table of [...(await tablesInOrder(engine)), LAST_TABLE]) {
    if (signal.aborted) throw new OpenrayError('RequestCancelled', 'The backup was stopped; it cannot be restored');
    yield* copyTable(engine, { verb: 'BACKUP', table, name });
  }
}

/** All tables with rows except `migrations`. */
export async function tablesInOrder(engine: Engine): Promise<readonly string[]> {
  const rows = await queryRows<{ name: string }>(
    engine,
    sql`
      SELECT replaceRegexpOne(name, '_local$', '') AS name FROM system.tables
      WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name`,
  );
  const names = rows.map((row) => row.name).filter((name) => name !== LAST_TABLE);
  // A backup of an earlier version is restored into tables of that version.
  const first = FIRST_TABLES.filter((name) => names.includes(name));
  return [...first, ...names.filter((name) => !first.includes(name))];
}

/** Only names of folders directly in the place for backups are valid. Throws InvalidRequestException. */
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
 * Runs BACKUP or RESTORE of one table while the engine serves other calls. Throws InvalidRequestException if the backup
 * exists already, ResourceNotFoundException if there is no such backup to restore, SettingInvalid if the engine has no
 * place for backups.
 */
export async function* copyTable(engine: Engine, { verb, table, name }: CopyRequest): AsyncGenerator<TableCopy> {
  const id = randomUUID();
  const destination = engine.backupDestination(`${name}/${table}`);
  const inBackup = `${DATABASE_IN_BACKUP}.${table}`;
  const query =
    verb === 'BACKUP'
      ? `BACKUP TABLE ${table} AS ${inBackup} TO ${destination} SETTINGS id = '${id}' ASYNC`
      : // Tables of the same schema version may differ in their settings.
        `RESTORE TABLE ${inBackup} AS ${table} FROM ${destination}
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
      throw new OpenrayError('ServiceUnavailable', 'ClickHouse was restarted during the backup');
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
    const sentence = `There is no backup ${name}, or it is unfinished, or it is of another kind of store`;
    return new OpenrayError('ResourceNotFoundException', sentence, { cause });
  }
  if (/'backups\.allowed_path'|'backups\.allowed_disk'/.test(reason)) {
    const sentence = `ClickHouse has no place for backups: set backups.allowed_path or allowed_disk there (${reason})`;
    return new OpenrayError('SettingInvalid', sentence, { cause });
  }
  return toStoreFailure(cause);
}
