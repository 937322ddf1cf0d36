/**
 * A program that runs the engine with openray's tables and without openray's server, for comparison. Accepts one
 * request at a time from its parent process.
 */
import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Session } from 'chdb';
import { parseDocument } from '../../server/dist/model/parse-document.js';
import { MIGRATIONS } from '../../server/dist/package/files.js';
import { createRowBuffer, type RowBuffer, writtenBytes } from '../../server/dist/store/row-binary.js';
import { readMigrations } from '../../server/dist/store/schema/migrate.js';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, writeDocument, writeEntities } from '../../server/dist/store/write/rows.js';
import type { BareRequest, DiskUse, LoadTimes } from './bare-client.ts';
import { answerRequests } from './child-program.ts';
import { type Dataset, generateTraces, makeDataset } from './generate.ts';
import { cpuSecondsOf } from './process-usage.ts';

/** Traces of one insert: about the size of a group commit under load. */
const TRACES_A_BLOCK = 1_000;
/** Traces encoded ahead, so that there is no pause for merges between inserts. */
const TRACES_AHEAD = 20_000;

const TABLES = [
  { table: 'entities', columns: ENTITY_COLUMNS },
  { table: 'documents', columns: DOCUMENT_COLUMNS },
] as const;

let session: Session;
let spool: string;
let seq = Date.now() * 1000;

async function open(directory: string, isNew: boolean): Promise<void> {
  spool = `${directory}-spool`;
  await mkdir(spool, { recursive: true });
  session = new Session(directory);
  await session.queryAsync('CREATE DATABASE IF NOT EXISTS openray');
  await session.queryAsync('USE openray');
  if (!isNew) return;
  for (const { statements } of await readMigrations(MIGRATIONS)) {
    for (const statement of statements) await session.queryAsync(statement);
  }
}

async function load(dataset: Dataset, first: number, last: number): Promise<LoadTimes> {
  const times = { decodeSeconds: 0, parseSeconds: 0, encodeSeconds: 0, insertSeconds: 0, insertCpuSeconds: 0 };
  const insertsMs: number[] = [];
  for (let from = first; from < last; from += TRACES_AHEAD) {
    const files: string[] = [];
    const to = Math.min(last, from + TRACES_AHEAD);
    for (let at = from; at < to; at += TRACES_A_BLOCK) {
      files.push(await encodeBlock(dataset, at, Math.min(to, at + TRACES_A_BLOCK), times));
    }
    const beganCpu = cpuSecondsOf(process.pid);
    const beganMs = performance.now();
    for (const file of files) {
      const insertBeganMs = performance.now();
      for (const { table, columns } of TABLES) await insert(table, columns, `${file}.${table}`);
      insertsMs.push(performance.now() - insertBeganMs);
    }
    times.insertSeconds += (performance.now() - beganMs) / 1000;
    times.insertCpuSeconds += cpuSecondsOf(process.pid) - beganCpu;
    for (const file of files) for (const { table } of TABLES) await unlink(`${file}.${table}`);
  }
  return { ...times, insertsMs };
}

/** Writes the rows of some traces to a file a table; returns the common prefix of the file names. */
async function encodeBlock(
  dataset: Dataset,
  first: number,
  last: number,
  times: { decodeSeconds: number; parseSeconds: number; encodeSeconds: number },
): Promise<string> {
  const texts = [...generateTraces(dataset, first, last)].flatMap(({ documents }) => documents);
  times.decodeSeconds += secondsFor(() => {
    for (const text of texts) JSON.parse(text);
  });
  const documents: Parameters<typeof writeDocument>[1][] = [];
  times.parseSeconds += secondsFor(() => {
    for (const text of texts) {
      for (const parsed of parseDocument(text, ++seq)) if (parsed.ok) documents.push(parsed.document);
    }
  });
  const rows: Record<(typeof TABLES)[number]['table'], RowBuffer> = {
    entities: createRowBuffer(),
    documents: createRowBuffer(),
  };
  times.encodeSeconds += secondsFor(() => {
    for (const document of documents) {
      writeEntities(rows.entities, document);
      writeDocument(rows.documents, document);
    }
  });
  const file = join(spool, `block-${first}`);
  for (const { table } of TABLES) await writeFile(`${file}.${table}`, writtenBytes(rows[table]));
  return file;
}

function secondsFor(work: () => void): number {
  const beganMs = performance.now();
  work();
  return (performance.now() - beganMs) / 1000;
}

async function insert(table: string, columns: Readonly<Record<string, string>>, path: string): Promise<void> {
  const names = Object.keys(columns).join(', ');
  const structure = Object.entries(columns).map((column) => column.join(' '));
  await session.queryAsync(
    `INSERT INTO ${table} (${names}) SELECT * FROM file('${path}', 'RowBinary', '${structure.join(', ')}')`,
  );
}

/** Milliseconds of each sample; its statements run one after the other. */
async function query(samples: readonly (readonly string[])[]): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  for (const statements of samples) {
    const beganMs = performance.now();
    for (const statement of statements) JSON.parse(await rowsOf(statement));
    latenciesMs.push(performance.now() - beganMs);
  }
  return latenciesMs;
}

async function rowsOf(statement: string): Promise<string> {
  const answer = await session.queryAsync(statement, { format: 'JSONEachRow' });
  return `[${answer.text().trimEnd().replaceAll('\n', ',')}]`;
}

/** Disk use of the tables after merging all parts: in a long-running server, all but the newest data is merged. */
async function diskUse(): Promise<readonly DiskUse[]> {
  for (const { table } of TABLES) await session.queryAsync(`OPTIMIZE TABLE ${table} FINAL`);
  const answer = await rowsOf(`
    SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, sum(secondary_indices_compressed_bytes) AS indexBytes
    FROM system.parts WHERE database = 'openray' AND active GROUP BY table
    SETTINGS output_format_json_quote_64bit_integers = 0`);
  return JSON.parse(answer) as readonly DiskUse[];
}

function answer(request: BareRequest): Promise<unknown> {
  switch (request.kind) {
    case 'open':
      return open(request.directory, request.isNew);
    case 'load':
      return load(makeDataset(request.dataset), request.first, request.last);
    case 'query':
      return query(request.samples);
    case 'disk-use':
      return diskUse();
  }
}

answerRequests(answer);
