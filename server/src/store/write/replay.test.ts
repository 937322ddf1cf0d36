import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Document } from '../../model/entity.ts';
import { readJsonSpan, spanJson, spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import { parseDocument } from '../../model/parse-document.ts';
import { arbitrarySpan } from '../../model/testing/arbitrary-span.ts';
import type { Engine } from '../engine/engine.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { type PayloadVersion, recordHeader } from '../journal/records.ts';
import { NO_RECENT_DOCUMENTS } from '../recent-documents.ts';
import { createRowBuffer, writtenBytes } from '../row-binary.ts';
import { sql } from '../sql.ts';
import type { Store } from '../store.ts';
import { entityIdOf, traceIdOf } from '../testing/documents.ts';
import { writeUnpackedDocument, writeUnsplitDocument } from '../testing/former-rows.ts';
import { makeTestDirectory, openTestStore, type TestDirectory } from '../testing/open-test-store.ts';
import { newDocumentEncoder } from './block.ts';
import { createGroupCommit } from './group-commit.ts';
import { type LeftOptions, readLeftFiles } from './replay.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, readDocumentRows, writeDocument, writeEntities } from './rows.ts';

const DAY_US = 86_400_000_000;
const MIDNIGHT_US = 20_000 * DAY_US;
const NO_LIMITS = { maxBytes: 1e6, maxDepth: 100 };

let directory: TestDirectory;
beforeEach(async () => {
  directory = await makeTestDirectory();
});
afterEach(() => directory.remove());

/** A segment with a subsegment, as a client sends it. */
function received(number: number, seq: number, id = traceIdOf(number)) {
  const text = JSON.stringify({
    trace_id: `1-${id.slice(0, 8)}-${id.slice(8)}`,
    id: entityIdOf(number),
    name: `service-${number}`,
    start_time: 1_700_000_000,
    end_time: 1_700_000_001,
    annotations: { number, tenant: 'acme' },
    subsegments: [{ id: entityIdOf(number + 1e6), name: 'work', start_time: 1_700_000_000, end_time: 1_700_000_001 }],
  });
  const [parsed] = parseDocument(text, seq, NO_LIMITS);
  if (!parsed?.ok) throw new Error('the document is invalid');
  return parsed.document;
}

function rowsOf(documents: readonly Document[], write: typeof writeDocument | typeof writeEntities): Uint8Array {
  const rows = createRowBuffer();
  for (const document of documents) write(rows, document);
  return writtenBytes(rows);
}

/** Appends one record for each list, as a server that is killed before its flush. */
async function leaveJournal(journal: Journal, records: readonly (readonly Document[])[]): Promise<string> {
  const file = journal.newFile();
  for (const documents of records) {
    await new Promise<void>((resolve, reject) =>
      file.append(rowsOf(documents, writeDocument), { onWritten: resolve, onFailed: reject }),
    );
  }
  await file.close();
  return file.name;
}

const openTestJournal = () => openJournal({ dataDir: directory.path, storeId: 'test', fsync: false });
const log = () => ({ info: vi.fn(), warn: vi.fn() });
const pathOf = (name: string) => join(directory.path, 'journal', 'test', `${name}.journal`);

/** Inserts that are only recorded. */
function recordedInserts(): Pick<Engine, 'insert'> & { readonly tables: Record<string, Buffer[]> } {
  const tables: Record<string, Buffer[]> = { entities: [], documents: [] };
  return { tables, insert: async ({ table, bytes }) => void tables[table]?.push(Buffer.concat([bytes].flat())) };
}

/** Returns the number of documents. */
async function replay(
  journal: Journal,
  { insert }: Pick<Engine, 'insert'>,
  { droppedBeforeUs, log }: LeftOptions,
): Promise<number> {
  const left = await readLeftFiles(journal, { droppedBeforeUs, log });
  const options = { serverNumber: 0, queueMaxBytes: 1e9, recent: NO_RECENT_DOCUMENTS, log };
  const commits = createGroupCommit({ ...options, insert, left });
  await commits.replayed;
  await commits.close();
  expect(commits.counts()).toMatchObject({ received: 0, stored: 0, queued: 0, queuedBytes: 0 });
  return commits.replayedCount();
}

test('replays exactly the rows that a flush would have inserted, a block a file, and removes the files', async () => {
  const journal = await openTestJournal();
  const documents = [1, 2, 3, 4].map((number) => received(number, MIDNIGHT_US + number));
  await leaveJournal(journal, [documents.slice(0, 2), documents.slice(2, 3)]);
  await leaveJournal(journal, [documents.slice(3)]);
  const engine = recordedInserts();
  expect(await replay(journal, engine, { droppedBeforeUs: undefined, log: log() })).toBe(4);
  for (const [table, write] of [
    ['documents', writeDocument],
    ['entities', writeEntities],
  ] as const) {
    const blocks = [documents.slice(0, 3), documents.slice(3)].map((block) => Buffer.from(rowsOf(block, write)));
    expect(engine.tables[table]).toEqual(blocks);
  }
  expect(await journal.leftFiles()).toEqual([]);
});

test('the numbers of arrival of a file are known before its documents are inserted', async () => {
  const journal = await openTestJournal();
  const spans = fc.sample(arbitrarySpan, { numRuns: 50, seed: 2 }).map(({ span, ...around }, index) => {
    return spanWriter(around, new Set())(span, MIDNIGHT_US + 10 + index);
  });
  await leaveJournal(journal, [[received(1, MIDNIGHT_US + 100), ...spans], [received(2, MIDNIGHT_US - 1)], []]);
  const [before, after] = await Promise.all(
    [undefined, MIDNIGHT_US].map((droppedBeforeUs) => readLeftFiles(journal, { droppedBeforeUs, log: log() })),
  );
  expect(before).toEqual([expect.objectContaining({ firstSeq: MIDNIGHT_US - 1, lastSeq: MIDNIGHT_US + 100 })]);
  expect(after).toEqual([expect.objectContaining({ firstSeq: MIDNIGHT_US + 10, lastSeq: MIDNIGHT_US + 100 })]);
});

test('a replay leaves out the attributes that the rows of one append share, as the append did', async () => {
  const journal = await openTestJournal();
  const ofTrace = (number: number) => received(number, MIDNIGHT_US - 2 + number, traceIdOf(1));
  const records = [[1, 2, 3, 4].map(ofTrace), [ofTrace(5)]];
  await leaveJournal(journal, records);
  const engine = recordedInserts();
  await replay(journal, engine, { droppedBeforeUs: undefined, log: log() });
  const encode = newDocumentEncoder(0);
  const expected = records.map((documents) => Buffer.from(writtenBytes(encode(documents).entities)));
  expect(engine.tables.entities).toEqual([Buffer.concat(expected)]);
  expect(Buffer.concat(expected).length).toBeLessThan(rowsOf(records.flat(), writeEntities).length);
});

test('replays spans, in the form of older servers, too', async () => {
  const journal = await openTestJournal();
  const spans = fc.sample(arbitrarySpan, { numRuns: 50, seed: 1 }).map(({ span, ...around }, index) => {
    const document = spanWriter(around, new Set(['tenant']))(span, MIDNIGHT_US + index);
    return index % 2 === 0 ? document : readJsonSpan(spanJson(document), document.seq);
  });
  await leaveJournal(journal, [spans]);
  const engine = recordedInserts();
  expect(await replay(journal, engine, { droppedBeforeUs: undefined, log: log() })).toBe(50);
  expect(engine.tables.documents).toEqual([Buffer.from(rowsOf(spans, writeDocument))]);
  expect(engine.tables.entities).toEqual([Buffer.from(rowsOf(spans, writeEntities))]);
});

test.each<[string, PayloadVersion, typeof writeUnpackedDocument]>([
  ['packed no spans', 1, writeUnpackedDocument],
  ['wrote no shapes', 2, writeUnsplitDocument],
])('replays the rows of a server that %s, with the columns that they lack', async (_, version, write) => {
  const journal = await openTestJournal();
  const spans = fc.sample(arbitrarySpan, { numRuns: 20, seed: 1 }).map(({ span, ...around }, index) => {
    return spanWriter(around, new Set())(span, MIDNIGHT_US + index);
  });
  const documents = [...spans, received(1, MIDNIGHT_US + 100)];
  const payload = rowsOf(documents, write);
  const newer = rowsOf(documents.slice(0, 5), writeDocument);
  const records = [recordHeader(payload, version), payload, recordHeader(newer), newer];
  await writeFile(pathOf('former'), Buffer.concat(records));
  const engine = recordedInserts();
  expect(await replay(journal, engine, { droppedBeforeUs: undefined, log: log() })).toBe(26);
  const read = readDocumentRows(engine.tables.documents?.[0] as Buffer);
  const expected = [...documents, ...documents.slice(0, 5)];
  expect(read.map(({ text, seq }) => [text, seq])).toEqual(expected.map(({ text, seq }) => [text, seq]));
  expect(engine.tables.entities).toEqual([Buffer.from(rowsOf(expected, writeEntities))]);
});

test('a file that is cut at any byte is replayed up to the cut, with a warning', async () => {
  const journal = await openTestJournal();
  const documents = [1, 2].map((number) => received(number, MIDNIGHT_US + number));
  const name = await leaveJournal(journal, [documents.slice(0, 1), documents.slice(1)]);
  const whole = await readFile(pathOf(name));
  const firstRow = rowsOf(documents.slice(0, 1), writeDocument);
  const firstEnd = recordHeader(firstRow).length + firstRow.length;
  for (let cut = 0; cut < whole.length; cut += 7) {
    await writeFile(pathOf(name), whole.subarray(0, cut));
    const warnings = log();
    const count = await replay(journal, recordedInserts(), { droppedBeforeUs: undefined, log: warnings });
    expect(count).toBe(cut >= firstEnd ? 1 : 0);
    expect(warnings.warn).toHaveBeenCalledTimes(cut === 0 || cut === firstEnd ? 0 : 1);
    expect(await journal.leftFiles()).toEqual([]);
  }
});

test('a damaged file and a record that cannot be read are skipped, reported and set aside', async () => {
  const journal = await openTestJournal();
  const documents = [1, 2, 3].map((number) => received(number, MIDNIGHT_US + number));
  const damaged = await leaveJournal(
    journal,
    documents.map((document) => [document]),
  );
  const bytes = await readFile(pathOf(damaged));
  bytes[40] = (bytes[40] ?? 0) ^ 0xff;
  await writeFile(pathOf(damaged), bytes);
  const noRows = Buffer.from('these are no rows');
  await writeFile(pathOf('unreadable'), Buffer.concat([recordHeader(noRows), noRows]));
  const warnings = log();
  const count = await replay(journal, recordedInserts(), { droppedBeforeUs: undefined, log: warnings });
  expect(count).toBe(2);
  expect(warnings.warn.mock.calls.map(([fields]) => [fields.damaged.length, fields.unreadable])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(await journal.leftFiles()).toEqual([]);
  const left = (await readdir(join(directory.path, 'journal', 'test'))).sort();
  expect(left).toEqual([`${damaged}.journal.damaged`, 'unreadable.journal.damaged'].sort());
});

test('documents of days that retention has dropped stay deleted', async () => {
  const journal = await openTestJournal();
  const documents = [1, 2].map((number) => received(number, MIDNIGHT_US - 2 + number));
  await leaveJournal(journal, [documents]);
  const engine = recordedInserts();
  expect(await replay(journal, engine, { droppedBeforeUs: MIDNIGHT_US, log: log() })).toBe(1);
  expect(engine.tables.documents).toEqual([Buffer.from(rowsOf(documents.slice(1), writeDocument))]);
});

const TABLES = { documents: sql`documents`, entities: sql`entities` };
const countOf = async (store: Store, table: 'documents' | 'entities') => {
  const [row] = await store.query<{ n: number }>(sql`SELECT count() AS n FROM ${TABLES[table]}`);
  return row?.n;
};

test('a replay that is repeated, or that follows half an insert, stores each document once, also across midnight', async () => {
  const store = await openTestStore(directory.path);
  const journal = await openTestJournal();
  const documents = [1, 2, 3, 4].map((number) => received(number, MIDNIGHT_US - 2 + number));
  const name = await leaveJournal(journal, [documents.slice(0, 3), documents.slice(3)]);
  const bytes = await readFile(pathOf(name));
  // The insert reached the part of the first day only: each day is a part of its own.
  const firstDay = rowsOf(documents.slice(0, 1), writeEntities);
  await store.insert({ table: 'entities', columns: ENTITY_COLUMNS, bytes: firstDay, insertToken: name });
  for (let round = 0; round < 3; round++) {
    await writeFile(pathOf(name), bytes);
    await replay(journal, store, { droppedBeforeUs: undefined, log: log() });
    expect([await countOf(store, 'documents'), await countOf(store, 'entities')]).toEqual([4, 8]);
  }
  // The same rows with another token are stored again: the token decides and not the content.
  const rows = rowsOf(documents, writeDocument);
  await store.insert({ table: 'documents', columns: DOCUMENT_COLUMNS, bytes: rows, insertToken: 'another' });
  expect(await countOf(store, 'documents')).toBe(8);
  await store.close();
});

type Loss = (part: string) => Promise<void>;
const LOSSES: readonly (readonly [how: string, lose: Loss])[] = [
  ['that was killed before it named the part', (part) => rm(part, { recursive: true })],
  ['whose part the next start sets aside', (part) => truncate(join(part, 'data.bin'), 10)],
];

test.each(LOSSES)('a replay stores the documents of an insert %s, although its token is known', async (_, lose) => {
  const documents = [1, 2, 3, 4].map((number) => received(number, MIDNIGHT_US - 2 + number));
  const first = await openTestStore(directory.path);
  const journal = await openTestJournal();
  const name = await leaveJournal(journal, [documents]);
  const bytes = await readFile(pathOf(name));
  await replay(journal, first, { droppedBeforeUs: undefined, log: log() });
  // Of the two days of the block, one is lost.
  const parts = await first.query<{ path: string }>(sql`
    SELECT path FROM system.parts WHERE active AND table IN ('documents', 'entities') AND partition = '20000'`);
  await first.close();
  expect(parts).toHaveLength(2);
  for (const { path } of parts) await lose(path);

  const store = await openTestStore(directory.path);
  expect([await countOf(store, 'documents'), await countOf(store, 'entities')]).toEqual([1, 2]);
  for (let round = 0; round < 2; round++) {
    await writeFile(pathOf(name), bytes);
    await replay(journal, store, { droppedBeforeUs: undefined, log: log() });
    expect([await countOf(store, 'documents'), await countOf(store, 'entities')]).toEqual([4, 8]);
  }
  await store.close();
});
