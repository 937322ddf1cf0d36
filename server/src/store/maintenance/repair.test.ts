import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { repairStore } from '../repair.ts';
import { type Sql, sql } from '../sql.ts';
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

type Damage = (file: string) => Promise<void>;
const DAMAGES: readonly Damage[] = [
  damage,
  (file) => writeFile(file, ''),
  async (file) => truncate(file, Math.floor((await stat(file)).size / 2)),
  (file) => rm(file),
];
const PARTITIONED = { documents: sql`documents`, entities: sql`entities` };

/** A question until it is answered: each time it finds many parts, but not all. */
async function ask<Row>(opened: Store, question: Sql): Promise<readonly Row[]> {
  for (let left = 8; ; left -= 1) {
    try {
      return await opened.query<Row>(question);
    } catch (thrown) {
      if (left === 0) throw thrown;
    }
  }
}

/** For each day: a hash of all columns of the rows. */
async function rowsByDay(opened: Store, table: Sql): Promise<ReadonlyMap<number, string>> {
  const rows = await ask<{ day: number; hash: string }>(
    opened,
    sql`SELECT intDiv(seq, 86400000000) AS day, concat(count(), ' ', sum(cityHash64(*))) AS hash FROM ${table} GROUP BY day`,
  );
  return new Map(rows.map(({ day, hash }) => [day, hash]));
}

// The files that the last ones read are indexes.
const QUESTIONS = [
  sql`SELECT sum(cityHash64(*)) FROM documents`,
  sql`SELECT sum(cityHash64(*)) FROM entities`,
  sql`SELECT count() FROM documents WHERE seq > ${seqOf(1, 0)} AND trace_id = unhex('00')`,
  sql`SELECT count() FROM documents WHERE trace_id > unhex('00')`,
  sql`SELECT count() FROM entities WHERE end_us > 5 AND start_us > 5`,
  sql`SELECT name FROM entities WHERE start_us > 5 ORDER BY start_us DESC LIMIT 3`,
  sql`SELECT count() FROM entities WHERE has(attributes, 'any')`,
];

test.each([
  ['while the store is open', true],
  ['before a start', false],
])('a file of any kind, damaged in any way %s, costs the rows of its part at most', async (_, isOpen) => {
  store = await openTestStore(directory.path);
  const addDay = (day: number) =>
    store?.append(Array.from({ length: 10 }, (_, number) => aDocument(day * 10 + number, { seq: seqOf(day, number) })));
  await addDay(1);
  const cases: { readonly table: keyof typeof PARTITIONED; readonly file: string; readonly apply: Damage }[] = [];
  for (const table of ['documents', 'entities'] as const) {
    const { path } = await partOf(store, table, 1);
    for (const file of (await readdir(path)).sort()) cases.push(...DAMAGES.map((apply) => ({ table, file, apply })));
  }
  // One day, and so one part of each table, for each case.
  for (const index of cases.keys()) await addDay(index + 2);
  const before = {
    documents: await rowsByDay(store, PARTITIONED.documents),
    entities: await rowsByDay(store, PARTITIONED.entities),
  };
  const parts = await store.query<Part & { day: number }>(
    sql`SELECT table, name, path, toUInt32(partition) AS day FROM system.parts WHERE active AND has(['documents', 'entities'], table)`,
  );
  if (!isOpen) await store.close();
  for (const [index, { table, file, apply }] of cases.entries()) {
    const part = parts.find((each) => each.table === table && each.day === index + 2);
    await apply(join(part?.path ?? '', file));
  }
  if (!isOpen) store = await openTestStore(directory.path);

  for (const question of QUESTIONS) await ask(store, question);
  for (const table of ['documents', 'entities'] as const) {
    const after = await rowsByDay(store, PARTITIONED[table]);
    const leftOut = store.damagedParts().filter((part) => part.table === table);
    const days = leftOut.map(({ name }) => Number(/(\d+)_\d+_\d+_\d+$/.exec(name)?.[1]));
    const damagedDays = cases.flatMap((each, index) => (each.table === table ? [index + 2] : []));
    expect(damagedDays).toEqual(expect.arrayContaining(days));
    for (const day of days) expect([table, day, after.has(day)]).toEqual([table, day, false]);
    for (const [day, rows] of before[table]) {
      if (!days.includes(day)) expect([cases[day - 2], after.get(day)]).toEqual([cases[day - 2], rows]);
    }
  }
  const found = store.damagedParts().map(({ table, name }) => `${table} ${name.replace('broken-on-start_', '')}`);
  await store.close();
  store = undefined;
  const listed = (await repairStore(testOptions(directory.path), { detaches: false })).map(
    ({ table, name }) => `${table} ${name.replace('broken-on-start_', '')}`,
  );
  expect(listed).toEqual(expect.arrayContaining(found));
});

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
