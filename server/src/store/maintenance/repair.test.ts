import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { repairStore } from '../repair.ts';
import { sql } from '../sql.ts';
import type { Store } from '../store.ts';
import { aDocument } from '../testing/documents.ts';
import { makeTestDirectory, openTestStore, type TestDirectory, testOptions } from '../testing/open-test-store.ts';

const DAY_US = 86_400_000_000;
const TODAY = 20_000;
const seqOf = (day: number, number: number) => day * DAY_US + number;

let directory: TestDirectory;
let store: Store | undefined;
beforeEach(async () => {
  directory = await makeTestDirectory();
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  await directory.remove();
});

/** A store with ten documents on each of three days, closed. */
async function filledStore(): Promise<void> {
  const filled = await openTestStore(directory.path);
  for (const day of [TODAY - 2, TODAY - 1, TODAY]) {
    const documents = Array.from({ length: 10 }, (_, number) =>
      aDocument(day * 100 + number, { seq: seqOf(day, number) }),
    );
    await filled.append(documents);
  }
  await filled.close();
}

type Part = { readonly table: string; readonly name: string; readonly path: string };

/** The part of a table that has the documents of a day. */
async function partOf(opened: Store, table: string, day: number): Promise<Part> {
  const rows = await opened.query<Part>(
    sql`SELECT table, name, path FROM system.parts WHERE active AND table = ${table} AND partition = ${String(day)}`,
  );
  return rows[0] as Part;
}

/** Changes bytes in the middle of a file. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  for (let at = Math.floor(bytes.length / 2); at < Math.min(bytes.length, bytes.length / 2 + 8); at += 1) {
    bytes[at] = (bytes[at] as number) ^ 0xff;
  }
  await writeFile(file, bytes);
}

// Reads every column.
const COUNT = sql`SELECT count() AS n, sum(cityHash64(*)) AS hash FROM documents`;
const countOf = async (opened: Store, onIncomplete?: (reason: string) => void) =>
  (await opened.query<{ n: number }>(COUNT, onIncomplete && { onIncomplete }))[0]?.n;

test('queries leave out a damaged part and are marked as incomplete; the log and the checks name the part', async () => {
  await filledStore();
  const warn = vi.fn();
  store = await openTestStore(directory.path, { log: { info() {}, warn } });
  const part = await partOf(store, 'documents', TODAY - 1);
  await damage(join(part.path, 'data.bin'));
  const onIncomplete = vi.fn();
  expect(await countOf(store, onIncomplete)).toBe(20);
  expect(onIncomplete).toHaveBeenCalledWith('damaged parts are left out');
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(
    { table: 'documents', name: part.name, reason: expect.stringContaining("Checksum doesn't match") },
    expect.stringContaining('openray repair'),
  );
  expect(store.damagedParts()).toEqual([expect.objectContaining({ table: 'documents', name: part.name })]);
  expect(await store.checks()).toContainEqual(
    expect.objectContaining({ name: 'parts', state: 'degraded', sentence: expect.stringContaining(part.name) }),
  );

  const streamed: unknown[] = [];
  for await (const row of store.stream(sql`SELECT body FROM documents`, { onIncomplete })) streamed.push(row);
  expect(streamed).toHaveLength(20);
  expect(onIncomplete).toHaveBeenCalledTimes(2);
  // A query of other tables is complete.
  await store.query(sql`SELECT count() FROM objects`, { onIncomplete });
  expect(onIncomplete).toHaveBeenCalledTimes(2);
  await store.append([aDocument(1, { seq: seqOf(TODAY, 100) })]);
  expect(await countOf(store)).toBe(21);
});

test('a damaged file of any kind costs the documents of its part at most', async () => {
  await filledStore();
  store = await openTestStore(directory.path);
  const part = await partOf(store, 'documents', TODAY);
  const files = (await readdir(part.path)).sort();
  await store.close();
  for (const file of files) {
    const path = join(part.path, file);
    const before = await readFile(path);
    await damage(path);
    store = await openTestStore(directory.path).catch((thrown: unknown) => {
      throw new Error(`the store does not open with a damaged ${file}`, { cause: thrown });
    });
    const reasons: string[] = [];
    const n = await countOf(store, (reason) => reasons.push(reason)).catch((thrown: unknown) => {
      throw new Error(`a query fails with a damaged ${file}`, { cause: thrown });
    });
    // Some files are read by no query, or only as hints.
    expect([file, n, reasons.length > 0]).toEqual(n === 30 ? [file, 30, false] : [file, 20, true]);
    await store.close();
    store = undefined;
    await restoreFile(part, file, before);
  }
});

/** Puts a file back, also when the engine has set its part aside. */
async function restoreFile(part: Part, file: string, bytes: Uint8Array): Promise<void> {
  const detached = join(part.path, '..', 'detached');
  for (const name of await readdir(detached)) {
    if (!name.includes(part.name)) continue;
    await rm(part.path, { recursive: true, force: true });
    await rename(join(detached, name), part.path);
  }
  await writeFile(join(part.path, file), bytes);
}

test('repair lists damaged parts and those that the engine has set aside, changes nothing, and detaches them', async () => {
  await filledStore();
  store = await openTestStore(directory.path);
  const damaged = await partOf(store, 'documents', TODAY);
  const broken = await partOf(store, 'documents', TODAY - 2);
  await store.close();
  await damage(join(damaged.path, 'data.bin'));
  await rm(join(broken.path, 'data.bin'));

  const warn = vi.fn();
  store = await openTestStore(directory.path, { log: { info() {}, warn } });
  expect(warn).toHaveBeenCalledWith(
    expect.objectContaining({ name: `broken-on-start_${broken.name}`, reason: 'broken-on-start' }),
    expect.any(String),
  );
  const onIncomplete = vi.fn();
  expect(await countOf(store, onIncomplete)).toBe(10);
  expect(onIncomplete).toHaveBeenCalledTimes(1);
  await store.close();

  const options = testOptions(directory.path);
  const expected = [
    expect.objectContaining({ name: `broken-on-start_${broken.name}`, day: TODAY - 2, isSetAside: true }),
    expect.objectContaining({ name: damaged.name, day: TODAY, isSetAside: false }),
  ];
  expect(await repairStore(options, { detaches: false })).toEqual(expected);
  expect(await repairStore(options, { detaches: true })).toEqual(expected);
  expect(await repairStore(options, { detaches: false })).toEqual([]);

  store = await openTestStore(directory.path);
  expect(await countOf(store, onIncomplete)).toBe(10);
  expect(onIncomplete).toHaveBeenCalledTimes(1);
  expect(store.damagedParts()).toEqual([]);
  // Responses about times before the end of that day still say that documents are missing.
  expect(store.statistics().prunedBeforeUs).toBe((TODAY + 1) * DAY_US);
});

test('a part without which the store would be wrong is not detached', async () => {
  await filledStore();
  store = await openTestStore(directory.path);
  const [part] = await store.query<Part>(
    sql`SELECT table, name, path FROM system.parts WHERE active AND table = 'objects'`,
  );
  await store.close();
  store = undefined;
  await damage(join((part as Part).path, 'data.bin'));
  const options = testOptions(directory.path);
  expect(await repairStore(options, { detaches: false })).toEqual([expect.objectContaining({ canDetach: false })]);
  await expect(repairStore(options, { detaches: true })).rejects.toThrow('restore a backup');
});
