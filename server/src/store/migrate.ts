import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { OpenrayError } from '../errors.ts';
import type { CallOptions, Engine } from './engine.ts';
import { renderSql, type Sql, sql } from './sql.ts';

export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly statements: readonly string[];
};

const CALL: CallOptions = { signal: undefined, timeoutMs: 600_000, maxMemoryBytes: 0 };

/** The folder that is shipped with the package: two levels up from `src/store` and from `dist/store` alike. */
export const MIGRATIONS = new URL('../../migrations/', import.meta.url);

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

/** Statements end with a semicolon at the end of a line. */
export function splitStatements(text: string): readonly string[] {
  return text
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/^--.*$/gm, '').trim() !== '');
}

/**
 * Brings the schema up to the newest migration. A migration that was cut short runs again: its statements say
 * IF NOT EXISTS. So does every one when a cluster has a new shard, which has no tables.
 * Throws StoreUnusable when the store was made by a newer program, or by other migrations, or is restored just now.
 */
export async function migrate(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  const isComplete = await hasMigrationsTable(engine);
  if (!isComplete) await engine.command(renderSql(CREATE_MIGRATIONS), CALL);
  const applied = await readApplied(engine);
  rejectUnfinishedRestore(applied);
  rejectUnknownMigrations(applied, migrations);
  for (const migration of migrations) {
    const before = applied.find(({ number }) => number === migration.number);
    if (before === undefined || !isComplete) await runMigration(engine, migration);
    if (before === undefined) await engine.command(renderSql(insertApplied(migration)), CALL);
  }
}

/** In the table of migrations while a restore runs, and for ever when it was cut short. */
const RESTORING: Migration = { number: 0, name: 'restoring', checksum: '', statements: [] };

/** From here to `endRestore` nobody can open the store. It has the table of migrations then, to be restored. */
export async function beginRestore(engine: Engine): Promise<void> {
  await engine.command(renderSql(CREATE_MIGRATIONS), CALL);
  await engine.command(renderSql(insertApplied(RESTORING)), CALL);
}

/** The tables as they were when those migrations had run that have been restored. Throws as `migrate` does. */
export async function makeRestoredTables(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  const applied = await readApplied(engine);
  rejectUnknownMigrations(applied, migrations);
  for (const migration of migrations) {
    if (applied.some(({ number }) => number === migration.number)) await runMigration(engine, migration);
  }
}

export async function endRestore(engine: Engine): Promise<void> {
  const statement = sql`ALTER TABLE migrations DELETE WHERE number = ${RESTORING.number} SETTINGS mutations_sync = 2`;
  await engine.command(renderSql(statement), CALL);
}

const CREATE_MIGRATIONS = sql`
  CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String, checksum String, applied_us UInt64)
  ENGINE = MergeTree ORDER BY number`;

/** On every shard. Asked first, as to create anything on a cluster takes all of its nodes. */
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
  const answer = await engine.query(
    renderSql(sql`SELECT number, name, checksum FROM migrations ORDER BY number`),
    CALL,
  );
  return answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Applied => JSON.parse(line));
}

function rejectUnfinishedRestore(applied: readonly Applied[]): void {
  if (applied[0]?.number !== RESTORING.number) return;
  throw new OpenrayError(
    'StoreUnusable',
    'A backup is being restored into the store; when nothing is, that was cut short: remove the store and restore again',
  );
}

function rejectUnknownMigrations(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const newest = applied.at(-1);
  const known = migrations.at(-1)?.number ?? 0;
  if (newest !== undefined && newest.number > known) {
    throw new OpenrayError(
      'StoreUnusable',
      `The store has schema ${newest.number} (${newest.name}), made by a newer version of openray; this one knows up to ${known}`,
    );
  }
  for (const { number, checksum } of applied) {
    const own = migrations.find((migration) => migration.number === number);
    if (own === undefined || own.checksum === checksum) continue;
    throw new OpenrayError(
      'StoreUnusable',
      `The store was made by another ${own.name} than this program has; use the version that made it, or a new data directory`,
    );
  }
}

async function runMigration(engine: Engine, { statements }: Migration): Promise<void> {
  for (const statement of statements) await engine.command({ query: statement, params: {} }, CALL);
}

function insertApplied({ number, name, checksum }: Migration): Sql {
  return sql`INSERT INTO migrations SELECT ${number}, ${name}, ${checksum}, toUnixTimestamp64Micro(now64(6))`;
}
