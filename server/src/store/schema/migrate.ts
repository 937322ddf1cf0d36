import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { OpenrayError } from '../../errors.ts';
import type { CallOptions, Engine } from '../engine/engine.ts';
import { renderSql, type Sql, sql } from '../sql.ts';

export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly statements: readonly string[];
};

const CALL: CallOptions = { signal: undefined, timeoutMs: 600_000, maxMemoryBytes: 0 };

/** The migrations of a folder, in order. File names are `0001_what_it_adds.sql`. */
export async function readMigrations(folder: URL): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { number: Number(name.slice(0, 4)), name, checksum, statements: splitStatements(text) };
    }),
  );
}

/** The tables as the migrations up to a number make them. */
export type Schema = { readonly throughNumber: number; readonly statements: readonly string[] };

/** The newest schema of a folder: `schema_0010.sql` has what the migrations up to 10 make. */
export async function readSchema(folder: URL): Promise<Schema | undefined> {
  const name = (await readdir(folder))
    .filter((file) => /^schema_\d{4}\.sql$/.test(file))
    .sort()
    .at(-1);
  if (name === undefined) return undefined;
  const statements = splitStatements(await readFile(new URL(name, folder), 'utf8'));
  return { throughNumber: Number(name.slice('schema_'.length, -'.sql'.length)), statements };
}

/** Statements end with a semicolon at the end of a line. */
export function splitStatements(text: string): readonly string[] {
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, '').trim() !== '');
}

/**
 * Applies all migrations that are new to the store. An interrupted migration runs again: its statements say
 * IF NOT EXISTS. All migrations run again when a cluster has a new shard, which has no tables. A store without any table
 * begins with `schema`, if there is one, in place of the migrations that it replaces.
 * Throws StoreUnusable if a newer program or other migrations made the store, or if a restore is not complete.
 */
export async function migrate(engine: Engine, migrations: readonly Migration[], schema?: Schema): Promise<void> {
  const isComplete = await hasMigrationsTable(engine);
  if (!isComplete) await engine.command(renderSql(CREATE_MIGRATIONS), CALL);
  const applied = await readApplied(engine);
  rejectUnfinishedRestore(applied);
  rejectUnknownMigrations(applied, migrations);
  // A new store has no data, so that an interrupted start may run all of them again.
  const isNewStore = applied.length === 0;
  const begun = isComplete ? undefined : schema;
  if (begun) await runStatements(engine, begun);
  for (const migration of migrations) {
    const before = applied.find(({ number }) => number === migration.number);
    const isToRun = before === undefined || !isComplete;
    if (isToRun && migration.number > (begun?.throughNumber ?? 0)) await runStatements(engine, migration);
    if (before === undefined && !isNewStore) await engine.command(renderSql(insertApplied([migration])), CALL);
  }
  if (isNewStore && migrations.length > 0) await engine.command(renderSql(insertApplied(migrations)), CALL);
}

/** A row in the table of migrations from the start of a restore to its end. It stays if the restore is interrupted. */
const RESTORING: Migration = { number: 0, name: 'restoring', checksum: '', statements: [] };

/** Creates the table of migrations. The store cannot be opened until `endRestore`. */
export async function beginRestore(engine: Engine): Promise<void> {
  await engine.command(renderSql(CREATE_MIGRATIONS), CALL);
  await engine.command(renderSql(insertApplied([RESTORING])), CALL);
}

/** Creates the tables of the schema version in the backup. Throws as `migrate` does. */
export async function makeRestoredTables(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  const applied = await readApplied(engine);
  rejectUnknownMigrations(applied, migrations);
  for (const migration of migrations) {
    if (applied.some(({ number }) => number === migration.number)) await runStatements(engine, migration);
  }
}

export async function endRestore(engine: Engine): Promise<void> {
  const statement = sql`ALTER TABLE migrations DELETE WHERE number = ${RESTORING.number} SETTINGS mutations_sync = 2`;
  await engine.command(renderSql(statement), CALL);
}

const CREATE_MIGRATIONS = sql`
  CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String, checksum String, applied_us UInt64)
  ENGINE = MergeTree ORDER BY number`;

/** On every shard. Checked first, because creating a table on a cluster needs all of its nodes. */
async function hasMigrationsTable(engine: Engine): Promise<boolean> {
  const where = engine.cluster ? sql`cluster(${engine.cluster}, system.tables)` : sql`system.tables`;
  const shard = engine.cluster ? sql`_shard_num` : sql`1`;
  const lacking = sql`
    SELECT ${shard} AS shard FROM ${where} GROUP BY shard
    HAVING countIf(database = currentDatabase() AND match(name, '^migrations(_local)?$')) = 0`;
  return (await engine.query(renderSql(lacking), CALL)) === '';
}

type Applied = { readonly number: number; readonly name: string; readonly checksum: string };

async function readApplied(engine: Engine): Promise<readonly Applied[]> {
  const result = await engine.query(
    renderSql(sql`SELECT number, name, checksum FROM migrations ORDER BY number`),
    CALL,
  );
  return result
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Applied => JSON.parse(line));
}

function rejectUnfinishedRestore(applied: readonly Applied[]): void {
  if (applied[0]?.number !== RESTORING.number) return;
  throw new OpenrayError(
    'StoreUnusable',
    'A restore into this store is running or was interrupted; if none is running, remove the store and restore again',
  );
}

function rejectUnknownMigrations(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const newest = applied.at(-1);
  const known = migrations.at(-1)?.number ?? 0;
  if (newest !== undefined && newest.number > known) {
    throw new OpenrayError(
      'StoreUnusable',
      `The store has schema ${newest.number} (${newest.name}), made by a newer version of openray; ` +
        `this version knows up to ${known}`,
    );
  }
  for (const { number, checksum } of applied) {
    const own = migrations.find((migration) => migration.number === number);
    if (own === undefined || own.checksum === checksum) continue;
    throw new OpenrayError(
      'StoreUnusable',
      `The store was made with another ${own.name} than that of this program; ` +
        'use the version that made it, or a new data directory',
    );
  }
}

async function runStatements(engine: Engine, { statements }: Pick<Migration, 'statements'>): Promise<void> {
  for (const statement of statements) await engine.command({ query: statement, params: {} }, CALL);
}

/** One insert for all: an insert takes as long as the creation of a table. */
function insertApplied(migrations: readonly Migration[]): Sql {
  const rows = migrations.map(
    ({ number, name, checksum }) => sql`SELECT ${number}, ${name}, ${checksum}, toUnixTimestamp64Micro(now64(6))`,
  );
  return sql`INSERT INTO migrations ${sql.join(rows, sql` UNION ALL `)}`;
}
