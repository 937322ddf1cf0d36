import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { MIGRATIONS } from '../../server/src/package/files.ts';
import { readMigrations, splitStatements } from '../../server/src/store/schema/migrate.ts';

/** Bytes on disk of a table (`part` is empty), or of one of its columns or indexes. */
export type Size = { readonly table: string; readonly part: string; readonly bytes: number };

export type SchemaCost = {
  readonly sizes: readonly Size[];
  /** CPU of this process. */
  readonly insertSeconds: number;
  readonly mergeSeconds: number;
};

/** The engine in this process, on the data directory of a server that has ended. */
export type DiskEngine = {
  /** Merges all parts, then measures. */
  sizes(): Promise<readonly Size[]>;
  /** Inserts the server's rows into the tables of the migrations and of `changes`, and merges all parts. */
  costOf(changes: string): Promise<SchemaCost>;
  close(): void;
};

const TABLES = ['documents', 'entities'];
/** Spans of an insert: about the size of a full block. */
const SPANS_A_BLOCK = 10_000;

export async function openDiskEngine(directory: string): Promise<DiskEngine> {
  const session = new Session(directory);
  const run = (statement: string) => session.queryAsync(statement);
  const rowsOf = async <Row>(statement: string): Promise<readonly Row[]> => {
    const result = await session.queryAsync(`${statement} SETTINGS output_format_json_quote_64bit_integers = 0`, {
      format: 'JSONEachRow',
    });
    return JSON.parse(`[${result.text().trimEnd().replaceAll('\n', ',')}]`) as readonly Row[];
  };
  const spool = await mkdtemp(join(tmpdir(), 'openray-disk-blocks-'));
  let blocks: readonly string[] | undefined;

  async function sizesOf(database: string): Promise<readonly Size[]> {
    const tables = await rowsOf<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = '${database}' AND engine LIKE '%MergeTree'`,
    );
    for (const { name } of tables) await run(`OPTIMIZE TABLE ${database}.${name} FINAL`);
    const where = `WHERE database = '${database}' AND active GROUP BY table`;
    return rowsOf<Size>(`
      SELECT * FROM (
        SELECT table, '' AS part, sum(bytes_on_disk) AS bytes FROM system.parts ${where}
        UNION ALL SELECT table, 'marks' AS part, sum(marks_bytes + primary_key_size) AS bytes FROM system.parts ${where}
        UNION ALL SELECT table, column AS part, sum(column_data_compressed_bytes) AS bytes
        FROM system.parts_columns ${where}, column
        UNION ALL SELECT table, concat('index ', name) AS part, sum(data_compressed_bytes) AS bytes
        FROM system.data_skipping_indices WHERE database = '${database}' GROUP BY table, name
      ) ORDER BY table, part = '' DESC, bytes DESC`);
  }

  /** Names of files, one a block and table, with the rows in the order of their arrival. */
  async function writeBlocks(): Promise<readonly string[]> {
    const names: string[] = [];
    const bounds = await rowsOf<{ fromSeq: number; toSeq: number }>(`
      SELECT min(seq) AS fromSeq, max(seq) AS toSeq FROM (SELECT seq FROM openray.documents ORDER BY seq)
      GROUP BY intDiv(rowNumberInAllBlocks(), ${SPANS_A_BLOCK}) ORDER BY fromSeq`);
    for (const [index, { fromSeq, toSeq }] of bounds.entries()) {
      for (const table of TABLES) {
        const path = join(spool, `${index}.${table}`);
        await run(
          `INSERT INTO FUNCTION file('${path}', 'Native') SELECT * FROM openray.${table}
           WHERE seq BETWEEN ${fromSeq} AND ${toSeq} ORDER BY seq`,
        );
      }
      names.push(join(spool, String(index)));
    }
    return names;
  }

  async function costOf(changes: string): Promise<SchemaCost> {
    blocks ??= await writeBlocks();
    const database = 'changed';
    // An earlier run on the same data may have been stopped.
    await run(`DROP DATABASE IF EXISTS ${database} SYNC`);
    await run(`CREATE DATABASE ${database}`);
    await run(`USE ${database}`);
    for (const { statements } of await readMigrations(MIGRATIONS))
      for (const statement of statements) await run(statement);
    for (const statement of splitStatements(changes)) await run(statement);
    const columns = new Map<string, string>();
    for (const table of TABLES) {
      const shared = await rowsOf<{ name: string }>(`
        SELECT name FROM system.columns WHERE database = '${database}' AND table = '${table}'
          AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')
          AND name IN (SELECT name FROM system.columns WHERE database = 'openray' AND table = '${table}')`);
      columns.set(table, shared.map(({ name }) => name).join(', '));
    }
    const insertSeconds = await cpuSecondsFor(async () => {
      for (const block of blocks ?? []) {
        for (const [table, names] of columns) {
          await run(
            `INSERT INTO ${table} (${names}) SETTINGS max_threads = 1, max_insert_threads = 1
             SELECT ${names} FROM file('${block}.${table}', 'Native')`,
          );
        }
      }
    });
    let sizes: readonly Size[] = [];
    const mergeSeconds = await cpuSecondsFor(async () => {
      sizes = (await sizesOf(database)).filter(({ table }) => TABLES.includes(table));
    });
    await run('USE openray');
    await run(`DROP DATABASE ${database} SYNC`);
    return { sizes, insertSeconds, mergeSeconds };
  }

  await run('USE openray');
  return {
    sizes: () => sizesOf('openray'),
    costOf,
    close() {
      session.close();
      void rm(spool, { recursive: true, force: true });
    },
  };
}

async function cpuSecondsFor(work: () => Promise<void>): Promise<number> {
  const began = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}
