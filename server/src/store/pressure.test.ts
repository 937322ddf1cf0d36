import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OpenrayError } from '../errors.ts';
import { sql } from './sql.ts';
import type { Store } from './store.ts';
import { startClickHouse } from './testing/clickhouse-server.ts';
import { aDocument } from './testing/documents.ts';
import { makeTestDirectory, openTestStore } from './testing/open-test-store.ts';

const MB = 1024 * 1024;

let directory: Awaited<ReturnType<typeof makeTestDirectory>>;

beforeEach(async () => {
  directory = await makeTestDirectory();
});

afterEach(() => directory.remove());

test('memory stays bounded while documents arrive faster than they are stored', async () => {
  const script = fileURLToPath(new URL('./testing/append-over-capacity.ts', import.meta.url));
  // Their rows alone are more than 300 MB.
  const count = 150_000;
  const args = ['--max-old-space-size=160', '--import', 'tsx', script, directory.path, String(count), String(8 * MB)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { idleBytes, mostBytes, mostQueuedBytes, received, stored, queued, refused } = JSON.parse(stdout);
  expect(received).toBeGreaterThanOrEqual(count);
  expect(refused).toBeGreaterThanOrEqual(count / 2);
  expect({ received, queued }).toEqual({ received: stored + refused, queued: 0 });
  // A call is accepted as a whole, so that the last one may exceed the limit.
  expect(mostQueuedBytes).toBeLessThan(9 * MB);
  expect(mostBytes - idleBytes).toBeLessThan(300 * MB);
});

const mountSmallDisk = (path: string): boolean => mountDisk(path, '160m');

/** Mounts a file system in memory, which needs root; false if this is not allowed. */
function mountDisk(path: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

type Opened = { readonly store: Store; close(): Promise<void> };

async function openEmbedded(path: string, journal: boolean): Promise<Opened> {
  const store = await openTestStore(path, { journal });
  return { store, close: () => store.close() };
}

const KINDS: readonly { name: string; open(path: string): Promise<Opened> }[] = [
  { name: 'embedded store', open: (path) => openEmbedded(path, false) },
  { name: 'embedded store with a journal', open: (path) => openEmbedded(path, true) },
  {
    name: 'remote store',
    async open(path) {
      const clickhouse = await startClickHouse(1, path);
      const store = await openTestStore('', { storeUrl: clickhouse.url });
      return {
        store,
        async close() {
          await store.close();
          await clickhouse.stop();
        },
      };
    },
  },
];

describe.each(KINDS)('the $name on a disk that is full', ({ open }) => {
  test('refuses writes, answers reads, loses nothing, and recovers by itself', async ({ skip }) => {
    if (!mountSmallDisk(directory.path)) skip('only root can mount a small disk');
    try {
      const { store, close } = await open(directory.path);
      const acknowledged = await fillDisk(store, directory.path);
      const [row] = await store.query<{ n: number }>(sql`SELECT uniqExact(trace_id) AS n FROM documents`);
      // Documents of the journal are inserted once there is space.
      const isJournalEmpty = store.statistics().queuedBytes === 0;
      expect(row?.n).toBeGreaterThanOrEqual(isJournalEmpty ? acknowledged : 0);

      await rm(join(directory.path, 'filler'));
      const append = () => store.append([aDocument(10_000_000)]).then(() => 'stored', String);
      await expect.poll(append).toBe('stored');
      await store.flush({ timeoutMs: 60_000 });
      const [after] = await store.query<{ n: number }>(sql`SELECT uniqExact(trace_id) AS n FROM documents`);
      expect(after?.n).toBeGreaterThanOrEqual(acknowledged + 1);
      const { received, stored, refused } = store.statistics();
      expect(received).toBe(stored + refused);
      await close();
    } finally {
      execFileSync('umount', ['-l', directory.path]);
    }
  });
});

test('a disk that becomes full during an insert or a merge costs no acknowledged document', async ({ skip }) => {
  if (!mountSmallDisk(directory.path)) skip('only root can mount a small disk');
  const store = await openTestStore(directory.path);
  try {
    const hasRestarted = () => (store.engineProcess()?.restarts ?? 0) > 0;
    const paths = await tablePaths(store, ['documents', 'entities']);
    let sent = 0;
    let acknowledged = 0;
    for (let round = 0; round < 40 && !hasRestarted(); round += 1) {
      const fill = fillAtNextPart(directory.path, paths, round % 2 === 0 ? 'tmp_merge_' : 'tmp_insert_');
      for (let batch = 0; batch < 3; batch += 1) {
        const documents = Array.from({ length: 1000 }, (_, index) => aDocument(sent + index));
        sent += documents.length;
        acknowledged += await store.append(documents).then(
          () => documents.length,
          () => 0,
        );
      }
      await store.command(sql`OPTIMIZE TABLE documents FINAL`).catch(() => {});
      fill.stop();
      await rm(join(directory.path, 'filler'), { force: true });
    }
    const found = () =>
      store.query<{ n: number }>(sql`SELECT uniqExact(trace_id) AS n FROM documents`).then(
        ([row]) => row?.n ?? 0,
        () => 0,
      );
    await expect.poll(hasRestarted).toBe(true);
    await expect.poll(found).toBeGreaterThanOrEqual(acknowledged);
  } finally {
    await store.close();
    execFileSync('umount', ['-l', directory.path]);
  }
});

test.for(['entities', 'documents'])(
  'an insert into %s that fails on a full disk is repeated, although the engine knows its token',
  async (table, { skip }) => {
    const first = await openTestStore(directory.path);
    const [path = ''] = await tablePaths(first, [table]);
    // The file of tokens then has a page, in which there is room for more.
    await first.append([aDocument(0)]);
    await first.close();
    // The engine looks for free space in its directory only.
    if (!moveToOwnDisk(path, '96k')) skip('only root can mount a small disk');
    const store = await openTestStore(directory.path, { journal: true });
    try {
      await store.append(Array.from({ length: 4999 }, (_, index) => aDocument(index + 1)));
      const flushed = store.flush({ timeoutMs: 60_000 });
      await expect.poll(() => store.engineProcess()?.restarts, { timeout: 30_000 }).toBeGreaterThan(0);
      execFileSync('mount', ['-o', 'remount,size=64m', path]);
      await flushed;
      const [row] = await store.query<Record<'documents' | 'entities' | 'traces', number>>(sql`
        SELECT (SELECT count() FROM documents) AS documents, (SELECT count() FROM entities) AS entities,
          (SELECT uniqExact(trace_id) FROM documents) AS traces`);
      expect(row).toEqual({ documents: 5000, entities: 15_000, traces: 5000 });
    } finally {
      await store.close();
      execFileSync('umount', ['-l', path]);
    }
  },
);

/** Mounts a file system of this size in the place of a folder, with its files. Needs root; false if this is not allowed. */
function moveToOwnDisk(path: string, size: string): boolean {
  const copy = `${path.replace(/\/$/, '')}.copy`;
  cpSync(path, copy, { recursive: true });
  if (!mountDisk(path, size)) return false;
  cpSync(copy, path, { recursive: true });
  rmSync(copy, { recursive: true });
  return true;
}

async function tablePaths(store: Store, tables: readonly string[]): Promise<readonly string[]> {
  const rows = await store.query<{ path: string }>(sql`
    SELECT arrayJoin(data_paths) AS path FROM system.tables WHERE has(${sql.typed(tables, 'Array(String)')}, name)`);
  return rows.map(({ path }) => path);
}

/** Fills the disk at once when the engine has begun to write a part whose folder begins so, until `stop`. */
function fillAtNextPart(disk: string, tables: readonly string[], begins: string): { stop(): void } {
  let timer: NodeJS.Immediate;
  const look = () => {
    if (!tables.some((path) => readdirSync(path).some((name) => name.startsWith(begins)))) {
      timer = setImmediate(look);
      return;
    }
    const { bavail, bsize } = statfsSync(disk);
    // The engine takes space meanwhile: the last bytes may not fit.
    const filler = spawnSync('fallocate', ['--length', String(bavail * bsize), join(disk, 'filler')]);
    if (filler.status !== 0) timer = setImmediate(look);
  };
  timer = setImmediate(look);
  return { stop: () => clearImmediate(timer) };
}

/** Fills the disk except 6 MB, then appends until a call is refused. Returns the number of acknowledged documents. */
async function fillDisk(store: Store, path: string): Promise<number> {
  await store.append([aDocument(0)]);
  const { bavail, bsize } = await statfs(path);
  await writeFile(join(path, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - 6 * MB)));
  let acknowledged = 1;
  for (;;) {
    const documents = Array.from({ length: 2000 }, (_, index) => aDocument(acknowledged + index));
    const failure = await store.append(documents).then(
      () => undefined,
      (thrown: OpenrayError) => thrown,
    );
    if (failure) {
      expect(failure).toMatchObject({ code: 'ServiceUnavailable', retryAfterSeconds: 5 });
      expect((failure.cause as OpenrayError).code).toBe('StoreUnusable');
      return acknowledged;
    }
    acknowledged += documents.length;
  }
}
