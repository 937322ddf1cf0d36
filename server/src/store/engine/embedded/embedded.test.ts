import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OpenrayError } from '../../../errors.ts';
import { SHARED_ARRIVAL_US } from '../../attributes.ts';
import { prune } from '../../maintenance/retention.ts';
import { type Sql, sql } from '../../sql.ts';
import type { Store } from '../../store.ts';
import { aDocument, traceIdOf } from '../../testing/documents.ts';
import { makeTestDirectory, openTestStore } from '../../testing/open-test-store.ts';

/** Properties of the embedded store: a data directory that one process at a time may open. */

let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await makeTestDirectory();
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  await directory.remove();
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

function startAppending(first: number) {
  const script = fileURLToPath(new URL('../../testing/append-until-killed.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory.path, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout }) };
}

async function numbersOf(store: Store, statement: Sql): Promise<readonly number[]> {
  const rows = await store.query<{ n: number }>(statement);
  return rows.map(({ n }) => n);
}

async function failureOf(opening: Promise<Store>): Promise<OpenrayError> {
  const thrown: unknown = await opening.then(
    (store) => store.close(),
    (reason) => reason,
  );
  if (thrown instanceof OpenrayError) return thrown;
  throw new Error(`opening did not fail as it should: ${thrown}`);
}

test('acknowledged documents survive SIGKILL under load without duplicates, and the lock is released', async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { child, lines } = startAppending(round * 1_000_000 + 1);
    const wanted = acknowledged.length + 300 + 211 * round;
    for await (const line of lines) {
      acknowledged.push(Number(line));
      // Lines that it wrote before it was killed count, too.
      if (acknowledged.length === wanted) child.kill('SIGKILL');
    }
  }
  const store = await openTestStore(directory.path);
  const number = sql`toUInt64(reinterpretAsUInt128(reverse(trace_id)))`;
  const stored = await numbersOf(store, sql`SELECT ${number} AS n FROM documents ORDER BY n`);
  const withEntities = await numbersOf(store, sql`SELECT DISTINCT ${number} AS n FROM entities ORDER BY n`);
  await store.close();

  const [storedSet, withEntitiesSet] = [new Set(stored), new Set(withEntities)];
  expect(storedSet.size).toBe(stored.length);
  expect(acknowledged.filter((one) => !storedSet.has(one))).toEqual([]);
  expect(stored.filter((one) => !withEntitiesSet.has(one))).toEqual([]);
});

test('a directory in use is rejected with the process that uses it', async () => {
  const { child, lines } = startAppending(1);
  await once(lines, 'line');
  const failure = await failureOf(openTestStore(directory.path));
  expect(failure).toMatchObject({
    code: 'StoreInUse',
    message: expect.stringMatching(
      new RegExp(
        `^${directory.path} is in use by the server with process id ${child.pid}: .*--endpoint-url .*--data-dir .*--port`,
      ),
    ),
  });
});

test('a directory that this process has opened is rejected, another one is not', async () => {
  const store = await openTestStore(directory.path);
  const failure = await failureOf(openTestStore(directory.path));
  expect(failure).toMatchObject({ code: 'StoreInUse', message: expect.stringContaining(`process id ${process.pid}:`) });
  const other = await openTestStore(join(directory.path, 'other'));
  await other.close();
  await store.close();
});

test('a store with a newer schema is rejected', async () => {
  const store = await openTestStore(directory.path);
  await store.command(sql`INSERT INTO migrations VALUES (9999, '9999_from_the_future.sql', 'x', 0)`);
  await store.close();
  const failure = await failureOf(openTestStore(directory.path));
  expect(failure.code).toBe('StoreUnusable');
  expect(failure.message).toMatch(/^The store has schema 9999 .*newer version of openray/);
});

test('a store made by other migrations is rejected', async () => {
  const store = await openTestStore(directory.path);
  await store.command(sql`ALTER TABLE migrations UPDATE checksum = 'other' WHERE true SETTINGS mutations_sync = 1`);
  await store.close();
  const failure = await failureOf(openTestStore(directory.path));
  expect(failure.code).toBe('StoreUnusable');
  expect(failure.message).toContain('0001_documents_and_entities.sql');
});

test('a path that is no directory is rejected', async () => {
  await writeFile(join(directory.path, 'file'), '');
  const failure = await failureOf(openTestStore(join(directory.path, 'file')));
  expect(failure.code).toBe('StoreUnusable');
  expect(failure.message).toContain('cannot be written to');
});

test('only the owner may read the directory, and the spool of a killed server is emptied', async () => {
  const dataDir = join(directory.path, 'new');
  await mkdir(join(dataDir, 'spool'), { recursive: true });
  await writeFile(join(dataDir, 'spool', 'entities.rows'), 'left over');
  const store = await openTestStore(dataDir);
  await store.append([aDocument(1)]);
  expect((await stat(join(dataDir, 'clickhouse'))).mode & 0o777).toBe(0o700);
  expect(await readdir(join(dataDir, 'spool'))).toEqual([]);
  await store.close();
});

test('fsync on each insert and merge can be enabled and disabled again', async () => {
  const fsyncOf = async (store: Store) =>
    store.query(sql`
      SELECT name FROM system.tables
      WHERE engine_full LIKE '%fsync_after_insert = 1%' AND engine_full LIKE '%min_rows_to_fsync_after_merge = 1%'
      ORDER BY name`);
  const durable = await openTestStore(directory.path, { fsync: true });
  await durable.append([aDocument(1)]);
  expect(await fsyncOf(durable)).toEqual([{ name: 'documents' }, { name: 'entities' }, { name: 'trace_summaries' }]);
  await durable.close();
  const usual = await openTestStore(directory.path);
  expect(await fsyncOf(usual)).toEqual([]);
  await usual.close();
});

const DAY_US = 86_400_000_000;
const TODAY_US = 20_000 * DAY_US;
const AGE_IN_DAYS = (day: number) => 20_000 - day;
const arrived = (number: number, daysAgo: number) =>
  aDocument(number, { seq: TODAY_US - daysAgo * DAY_US + 1_000_000 + number });
const daysStored = (store: Store) =>
  numbersOf(store, sql`SELECT DISTINCT 20000 - intDiv(seq, ${DAY_US}) AS n FROM documents ORDER BY n`);

test('with fsync a merge has written its part before the merged ones are deleted', async () => {
  const store = await openTestStore(directory.path, { fsync: true });
  await store.append([aDocument(1)]);
  await store.flush();
  await store.append([aDocument(2)]);
  await store.flush();
  const synced = () => numbersOf(store, sql`SELECT sum(value) AS n FROM system.events WHERE event = 'FileSync'`);
  const [before] = await synced();
  await store.command(sql`OPTIMIZE TABLE documents FINAL`);
  const [after] = await synced();
  expect(after).toBeGreaterThan(before as number);
  await store.close();
});

test('retention by age drops whole days and records it', async () => {
  const store = await openTestStore(directory.path);
  await store.append([0, 1, 2, 3, 9].map((daysAgo, index) => arrived(index, daysAgo)));
  const pruned = await prune(store, { days: 2, bytes: 0 }, AGE_IN_DAYS);
  expect(pruned).toEqual({ beforeUs: TODAY_US - 2 * DAY_US, days: 2, partOfDay: false });
  expect(await daysStored(store)).toEqual([0, 1, 2]);
  const [entities] = await numbersOf(store, sql`SELECT count() AS n FROM entities`);
  expect(entities).toBe(9);
  expect(await prune(store, { days: 2, bytes: 0 }, AGE_IN_DAYS)).toBeUndefined();
  await store.close();
  const again = await openTestStore(directory.path);
  expect(again.statistics().prunedBeforeUs).toBe(TODAY_US - 2 * DAY_US);
  await again.close();
});

test('retention by size drops the oldest days, then the oldest documents of the last day', async () => {
  const store = await openTestStore(directory.path);
  const old = Array.from({ length: 500 }, (_, index) => arrived(index, 3));
  // Of one trace: only the first rows of each second have the attributes that all of them share.
  const recent = Array.from({ length: 1000 }, (_, index) => {
    const seq = TODAY_US + (index < 200 ? 0 : 5_000_000) + index;
    return aDocument(1000 + index, { seq, traceId: traceIdOf(1000) });
  });
  await store.append([...old, ...recent]);
  const bytes = async () =>
    (
      await numbersOf(
        store,
        sql`SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND table IN ('documents', 'entities')`,
      )
    )[0] ?? 0;
  const whole = await bytes();

  expect(await prune(store, { days: 0, bytes: whole }, AGE_IN_DAYS)).toBeUndefined();
  expect(await prune(store, { days: 0, bytes: whole - 1 }, AGE_IN_DAYS)).toMatchObject({ days: 1, partOfDay: false });
  expect(await daysStored(store)).toEqual([0]);

  const today = await bytes();
  const pruned = await prune(store, { days: 0, bytes: Math.floor(today / 2) }, AGE_IN_DAYS);
  expect(pruned?.partOfDay).toBe(true);
  const left = await numbersOf(store, sql`SELECT seq AS n FROM documents ORDER BY seq`);
  expect(left.length).toBeGreaterThan(300);
  expect(left.length).toBeLessThan(600);
  expect(left.at(-1)).toBe(recent.at(-1)?.seq);
  expect(left[0]).toBeGreaterThanOrEqual(pruned?.beforeUs ?? Number.POSITIVE_INFINITY);
  const keptFromUs = (pruned?.beforeUs ?? 0) - SHARED_ARRIVAL_US;
  expect(await numbersOf(store, sql`SELECT count() AS n FROM entities WHERE seq < ${keptFromUs}`)).toEqual([0]);
  const shared = sql`has(attributes, 'segment.aws.table_name=orders')`;
  expect(await numbersOf(store, sql`SELECT count() AS n FROM entities WHERE ${shared}`)).toEqual([1]);
  await store.close();
});

test('the process of the engine returns the memory of large results', async () => {
  const store = await openTestStore(directory.path);
  try {
    for (const rows of [1, 10_000, 100, 30_000, 1_000, 50_000, 10, 40_000]) {
      await store.query(sql`SELECT hex(sipHash128(number)) AS text FROM numbers(${rows})`);
    }
    await expect.poll(() => heapBytes(store.engineProcess()?.pid), { timeout: 60_000 }).toBeLessThan(10_000_000);
  } finally {
    await store.close();
  }
});

/** Memory of glibc's allocator that is no mapping of its own. */
function heapBytes(pid: number | undefined): number {
  const smaps = readFileSync(`/proc/${pid}/smaps`, 'utf8');
  const kilobytes = /\[heap\]\n(?:.*\n)*?Rss: +(\d+) kB/.exec(smaps)?.[1];
  return Number(kilobytes) * 1024;
}

test('the allocator of the engine returns freed memory after a second', async () => {
  const store = await openTestStore(directory.path);
  try {
    const [found] = await store.query<{ decay: string }>(
      sql`SELECT extract(stats, 'arenas.dirty_decay_ms: (\\d+)') AS decay FROM system.jemalloc_stats`,
    );
    expect(found).toEqual({ decay: '1000' });
  } finally {
    await store.close();
  }
});
