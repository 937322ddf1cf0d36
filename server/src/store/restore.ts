import { OpenrayError } from '../errors.ts';
import { MIGRATIONS } from '../package/files.ts';
import type { CallOptions, Engine } from './engine/engine.ts';
import { foldersWithJournals } from './journal/journal.ts';
import { copyTable, requireBackupName, tablesInOrder } from './maintenance/backup.ts';
import { openEngine, type StoreOptions } from './open-store.ts';
import { beginRestore, endRestore, makeRestoredTables, migrate, readMigrations } from './schema/migrate.ts';
import { parseRows, renderSql, type Sql, sql } from './sql.ts';
import type { TableCopy } from './store.ts';

const CALL: CallOptions = { signal: undefined, timeoutMs: 600_000, maxMemoryBytes: 0 };

/**
 * Restores a backup into a store without tables, then migrates it to this version. The store cannot be opened until the
 * restore is complete. Yields the progress of each table. Throws as `openStore` and `copyTable` do, and StoreUnusable
 * if the store is not empty.
 */
export async function* restoreStore(options: StoreOptions, name: string): AsyncGenerator<TableCopy> {
  requireBackupName(name);
  await requireEmptyJournal(options);
  const migrations = await readMigrations(MIGRATIONS);
  const engine = await openEngine(options);
  try {
    await requireEmpty(engine);
    await beginRestore(engine);
    yield* copyTable(engine, { verb: 'RESTORE', table: 'migrations', name });
    await makeRestoredTables(engine, migrations);
    for (const table of await tablesInOrder(engine)) yield* copyTable(engine, { verb: 'RESTORE', table, name });
    await requireShardPlacement(engine);
    await endRestore(engine);
    await migrate(engine, migrations);
  } finally {
    await engine.close();
  }
}

/** A backup has the id of its store, so that the next start would insert the journal into the restored store. */
async function requireEmptyJournal({ storeUrl, dataDir }: StoreOptions): Promise<void> {
  if (storeUrl !== undefined) return;
  const [folder] = await foldersWithJournals(dataDir);
  if (folder === undefined) return;
  throw new OpenrayError(
    'StoreUnusable',
    `${folder.path} has documents that are not inserted: restore into a new directory, or start openray on this one first`,
  );
}

async function requireEmpty(engine: Engine): Promise<void> {
  const tables = engine.cluster ? sql`cluster(${engine.cluster}, system.tables)` : sql`system.tables`;
  const [found] = await queryRows<{ n: number }>(
    engine,
    sql`SELECT count() AS n FROM ${tables} WHERE database = currentDatabase()`,
  );
  if (found?.n === 0) return;
  throw new OpenrayError('StoreUnusable', 'The store is not empty: restore into a new directory or database');
}

/** Each node of a cluster restores its own rows. Only the rows show whether the node still is the same shard. */
async function requireShardPlacement(engine: Engine): Promise<void> {
  if (engine.cluster === undefined) return;
  const [found] = await queryRows<{ n: number }>(
    engine,
    sql`
      WITH (
        SELECT arrayCumSum(groupArray(weight)) FROM (
          SELECT any(shard_weight) AS weight FROM system.clusters WHERE cluster = ${engine.cluster}
          GROUP BY shard_num ORDER BY shard_num)
      ) AS ends
      SELECT countIf(_shard_num != arrayFirstIndex(end -> end > cityHash64(trace_id) % arrayLast(x -> true, ends), ends)) AS n
      FROM documents`,
  );
  if (found?.n === 0) return;
  throw new OpenrayError(
    'StoreUnusable',
    `${found?.n} documents are on the wrong shard for their ids: restore the backup of each shard on the same shard`,
  );
}

async function queryRows<Row>(engine: Engine, statement: Sql): Promise<readonly Row[]> {
  return parseRows<Row>(await engine.query(renderSql(statement), CALL));
}
