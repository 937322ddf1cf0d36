import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OpenrayError } from '../../errors.ts';
import { replaceObject } from '../objects.ts';
import { sql } from '../sql.ts';
import type { Store } from '../store.ts';
import { startClickHouse } from '../testing/clickhouse-server.ts';
import { aDocument } from '../testing/documents.ts';
import { makeTestDirectory, openTestStore, restoreTestStore } from '../testing/open-test-store.ts';
import { STORES, type StoreLocation } from '../testing/stores.ts';

const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, index) => aDocument(first + index));
const never = new AbortController().signal;

async function backUp(store: Store, name: string): Promise<readonly string[]> {
  const tables: string[] = [];
  for await (const { table, isDone } of store.backUp(name, never)) if (isDone) tables.push(table);
  return tables;
}

const failureOf = (call: Promise<unknown>): Promise<OpenrayError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown) => thrown,
  );

describe.each(STORES)('a backup of the $name', ({ make }) => {
  let location: StoreLocation;
  let store: Store;

  beforeEach(async () => {
    location = await make();
    store = await location.open();
  });

  afterEach(async () => {
    await store.close();
    await location.remove();
  });

  const rowsOf = (source: Store, table: typeof documents) => source.query(sql`SELECT * FROM ${table} ORDER BY ALL`);
  const documents = sql`documents`;
  const entities = sql`entities`;
  const objects = sql`objects`;
  const migrations = sql`migrations`;

  test('has every row, and the restored store accepts new documents', async () => {
    await store.append(numbered(300));
    await store.append(numbered(300, 200));
    await replaceObject(store, { kind: 'group', name: 'slow' }, undefined, '{"filter":"duration > 5"}');
    const before = await Promise.all([documents, entities, objects, migrations].map((table) => rowsOf(store, table)));
    const tables = await backUp(store, 'monday');
    expect(tables.slice(0, 4)).toEqual(['service_map', 'trace_summaries', 'documents', 'entities']);
    expect(tables.at(-1)).toBe('migrations');
    await store.close();

    const other = await location.forRestore();
    await other.restore('monday');
    const restored = await other.open();
    const after = await Promise.all([documents, entities, objects, migrations].map((table) => rowsOf(restored, table)));
    // The lease of the backup itself is the only row that is written during the backup.
    const withoutLeases = (tables: readonly (readonly unknown[])[]) =>
      tables.map((rows) => rows.filter((row) => (row as { kind?: string }).kind !== 'lease'));
    expect(withoutLeases(after)).toEqual(withoutLeases(before));
    await restored.append(numbered(1, 1000));
    expect(await replaceObject(restored, { kind: 'group', name: 'slow' }, { version: 1, body: '' }, 'new')).toBe(true);

    const failure = await failureOf(other.restore('monday'));
    expect(['StoreUnusable', 'StoreInUse']).toContain(failure.code);
    await restored.close();
    await other.remove();
    store = await location.open();
  });

  test('made during inserts has all earlier documents, and no document without its entities', async () => {
    await store.append(numbered(500));
    let isOver = false;
    const appending = (async () => {
      for (let first = 500; !isOver; first += 20) await store.append(numbered(20, first));
    })();
    await backUp(store, 'busy');
    isOver = true;
    await appending;
    await store.close();

    const other = await location.forRestore();
    await other.restore('busy');
    const restored = await other.open();
    const [counts] = await restored.query<{ old: number; bare: number }>(sql`
      SELECT countIf(seq < ${aDocument(500).seq}) AS old,
             countIf(id NOT IN (SELECT id FROM entities WHERE is_root)) AS bare FROM documents`);
    expect(counts).toEqual({ old: 500, bare: 0 });
    await restored.close();
    await other.remove();
    store = await location.open();
  });

  test('needs a new name that is no path', async () => {
    await backUp(store, 'one');
    expect(await failureOf(backUp(store, 'one'))).toMatchObject({
      code: 'InvalidRequestException',
      message: 'There is a backup one already',
    });
    for (const name of ['', '..', '../one', 'a/b', '/tmp/x', "a', 'b", '.hidden', 'x'.repeat(101)]) {
      expect(await failureOf(backUp(store, name))).toMatchObject({ code: 'InvalidRequestException' });
    }
  });

  test('waits for a simultaneous backup of this or another server', async () => {
    const other = store.isShared ? await location.open() : store;
    const all = await Promise.all([backUp(store, 'a'), backUp(other, 'b'), backUp(store, 'c')]);
    expect(all.map((tables) => tables.at(-1))).toEqual(['migrations', 'migrations', 'migrations']);
    if (other !== store) await other.close();
  });
});

describe('restoring', () => {
  test('into a store that is not empty fails and changes nothing', async () => {
    const directory = await makeTestDirectory();
    const store = await openTestStore(directory.path);
    await store.append(numbered(3));
    await backUp(store, 'three');
    await store.close();
    const failure = await failureOf(restoreTestStore('three', directory.path, {}));
    expect(failure).toMatchObject({ code: 'StoreUnusable', message: expect.stringContaining('a new directory') });
    const again = await openTestStore(directory.path);
    expect(await again.query(sql`SELECT count() AS n FROM documents`)).toEqual([{ n: 3 }]);
    await again.close();
    await directory.remove();
  });

  test('rejects an unfinished or unknown backup, and leaves a store that cannot be opened if it fails', async () => {
    const directory = await makeTestDirectory();
    const other = await makeTestDirectory();
    const backupDir = join(directory.path, 'backups');
    const store = await openTestStore(directory.path, { backupDir });
    await store.append(numbered(3));
    await backUp(store, 'whole');
    const stopped = new AbortController();
    for await (const { table } of store.backUp('stopped', stopped.signal)) if (table === 'documents') break;
    await store.close();

    for (const name of ['stopped', 'unknown']) {
      expect(await failureOf(restoreTestStore(name, join(other.path, name), { backupDir }))).toMatchObject({
        code: 'ResourceNotFoundException',
        message: expect.stringContaining(`There is no backup ${name}`),
      });
    }
    await rm(join(backupDir, 'whole', 'entities'), { recursive: true });
    expect(await failureOf(restoreTestStore('whole', other.path, { backupDir }))).toBeInstanceOf(OpenrayError);
    expect(await failureOf(openTestStore(other.path))).toMatchObject({
      code: 'StoreUnusable',
      message: expect.stringContaining('restore again'),
    });
    await directory.remove();
    await other.remove();
  });

  test('the backup of an embedded store can be restored into a server', async () => {
    const directory = await makeTestDirectory();
    const embedded = await openTestStore(directory.path, { backupDir: join(directory.path, 'shard-1') });
    await embedded.append(numbered(30));
    await backUp(embedded, 'moving');
    await embedded.close();
    const clickhouse = await startClickHouse(1, undefined, directory.path);
    const storeUrl = clickhouse.url.replace(/openray$/, 'traces');
    const failure = await failureOf(restoreTestStore('moving', '', { storeUrl }));
    // The user has rights on one database only.
    expect(failure).toMatchObject({
      code: 'StoreUnusable',
      message: expect.stringContaining('denied access to this user'),
    });
    await restoreTestStore('moving', '', { storeUrl: clickhouse.url });
    const server = await openTestStore('', { storeUrl: clickhouse.url });
    expect(await server.query(sql`SELECT count() AS n FROM documents`)).toEqual([{ n: 30 }]);
    await server.close();
    await clickhouse.stop();
    await directory.remove();
  });
});
