import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { receivedTexts } from '../model/testing/builders.ts';
import { sql } from './sql.ts';
import type { Store } from './store.ts';
import { entityIdOf, traceIdOf } from './testing/documents.ts';
import { makeTestDirectory, openTestStore, restoreTestStore, type TestDirectory } from './testing/open-test-store.ts';

let directory: TestDirectory;
let copy: TestDirectory;

beforeEach(async () => {
  directory = await makeTestDirectory();
  copy = await makeTestDirectory();
});

afterEach(() => Promise.all([directory.remove(), copy.remove()]));

const FIRST_SEQ = 1_790_000_000_000_000;

function received(number: number) {
  const id = traceIdOf(number);
  const segment = {
    trace_id: `1-${id.slice(0, 8)}-${id.slice(8)}`,
    id: entityIdOf(number),
    name: 'shop',
    start_time: 1,
    end_time: 2,
  };
  return receivedTexts([JSON.stringify(segment)], FIRST_SEQ + number);
}

async function counts(store: Store): Promise<readonly (number | undefined)[]> {
  const tables = [sql`documents`, sql`entities`];
  const found = tables.map((table) => store.query<{ n: number }>(sql`SELECT count() AS n FROM ${table}`));
  return (await Promise.all(found)).map(([row]) => row?.n);
}

/** The journal of a store, as a process that is killed would leave it. */
async function copyJournal(to: string): Promise<void> {
  await cp(join(directory.path, 'journal'), join(to, 'journal'), { recursive: true });
}

test('documents that were acknowledged and not inserted are there after the next start, once', async () => {
  const first = await openTestStore(directory.path, { journal: true });
  await first.append(received(1));
  await first.append(received(2));
  expect(await counts(first)).toEqual([0, 0]);
  await copyJournal(copy.path);
  await first.close();
  // The close has inserted them; the journal appears again as if the process had died before it removed the files.
  await cp(join(copy.path, 'journal'), join(directory.path, 'journal'), { recursive: true });
  const second = await openTestStore(directory.path, { journal: true });
  await second.flush();
  expect(await counts(second)).toEqual([2, 2]);
  expect(second.statistics().replayed).toBe(2);
  expect(second.lastSeq).toBe(FIRST_SEQ + 2);
  await second.close();
});

test('a journal is replayed when it is switched off, and never into another store', async () => {
  const first = await openTestStore(directory.path, { journal: true });
  await first.append(received(1));
  await copyJournal(copy.path);
  await first.close();
  const warn = vi.fn();
  const other = await openTestStore(copy.path, { journal: false, log: { info() {}, warn } });
  expect(await counts(other)).toEqual([0, 0]);
  expect(warn).toHaveBeenCalledWith(
    { path: expect.stringContaining(join(copy.path, 'journal')) },
    'a journal belongs to another store and is not inserted',
  );
  await other.close();

  await cp(join(copy.path, 'journal'), join(directory.path, 'journal'), { recursive: true });
  const second = await openTestStore(directory.path, { journal: false });
  await second.flush();
  expect(second.statistics().replayed).toBe(1);
  await second.close();
});

test('a backup has every document acknowledged before its start; a restore refuses a journal with documents', async () => {
  const first = await openTestStore(directory.path, { journal: true });
  await first.append(received(1));
  for await (const table of first.backUp('monday', new AbortController().signal)) void table;
  await first.close();
  const backupDir = join(directory.path, 'backups');
  const journal = join(copy.path, 'journal', 'some-store');
  await mkdir(journal, { recursive: true });
  await writeFile(join(journal, '1.journal'), '');
  await expect(restoreTestStore('monday', copy.path, { backupDir })).rejects.toMatchObject({
    code: 'StoreUnusable',
    message: expect.stringContaining(journal),
  });
  const third = await makeTestDirectory();
  await restoreTestStore('monday', third.path, { backupDir });
  const restored = await openTestStore(third.path, { journal: true });
  expect(await counts(restored)).toEqual([1, 1]);
  await restored.close();
  await third.remove();
});

test('questions that begin together are answered with all documents, by one block', async () => {
  const store = await openTestStore(directory.path, { journal: true });
  await store.append(received(1));
  const [blocks, folder] = [vi.fn(), join(directory.path, 'journal')];
  store.onInserted(blocks);
  await Promise.all(Array.from({ length: 20 }, () => store.flush()));
  expect(await counts(store)).toEqual([1, 1]);
  expect(blocks.mock.calls).toEqual([[FIRST_SEQ + 1]]);
  await store.close();
  const [storeId = ''] = await readdir(folder);
  expect(await readdir(join(folder, storeId))).toEqual([]);
});
