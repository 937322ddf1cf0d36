import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseStored } from '../../model/parse-stored.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalRecord, PayloadVersion } from '../journal/records.ts';
import { writeBytes } from '../row-binary.ts';
import { emptied, type LeftFile, newRowBuffers, type RowBuffers } from './block.ts';
import { readDocumentRows, readSeqs, withLaterColumns, writeEntities } from './rows.ts';

type ReplayLog = { warn(fields: object, sentence: string): void };

export type LeftOptions = {
  /** Documents that arrived before it stay deleted; undefined when none were deleted. */
  readonly droppedBeforeUs: number | undefined;
  readonly log: ReplayLog;
};

/** The oldest first. Reads all files. */
export async function readLeftFiles(journal: Journal, options: LeftOptions): Promise<readonly LeftFile[]> {
  const left: LeftFile[] = [];
  for (const name of await journal.leftFiles()) left.push(await readLeftFile(journal, name, options));
  return left;
}

async function readLeftFile(
  journal: Journal,
  name: string,
  { droppedBeforeUs = 0, log }: LeftOptions,
): Promise<LeftFile> {
  const { records, torn } = await journal.read(name);
  if (torn) log.warn({ file: name, ...torn }, 'a journal file ends with an unfinished write, which is ignored');
  const seqs = records.flatMap(seqsOf).filter((seq) => seq >= droppedBeforeUs);
  /** Ranges of the file, and intact records, whose documents cannot be read. */
  let damage: { readonly damaged: readonly object[]; readonly unreadable: number } | undefined;
  return {
    name,
    bytes: records.reduce((sum, { payload }) => sum + payload.length, 0),
    firstSeq: seqs.reduce((least, seq) => Math.min(least, seq), Number.POSITIVE_INFINITY),
    lastSeq: seqs.reduce((most, seq) => Math.max(most, seq), 0),
    async *rows() {
      const content = await journal.read(name);
      let rows = newRowBuffers();
      let unreadable = 0;
      for (const record of content.records) {
        rows = emptied(rows);
        const count = tryWriteRecord(rows, record, droppedBeforeUs);
        if (count === undefined) unreadable++;
        else yield { entities: rows.entities, documents: rows.documents, count };
        await nextTurn();
      }
      if (content.damaged.length > 0 || unreadable > 0) damage = { damaged: content.damaged, unreadable };
    },
    async remove() {
      if (damage === undefined) return journal.remove(name);
      const file = await journal.setAside(name);
      log.warn({ file, ...damage }, 'a journal file is damaged: some documents are lost');
    },
  };
}

/** None when the record cannot be read. */
function seqsOf({ payload, version }: JournalRecord): readonly number[] {
  try {
    return readSeqs(completeRows(payload, version));
  } catch {
    return [];
  }
}

/**
 * A record is the rows of `documents` of one `append`. Their entity rows are made again, byte for byte. Returns the
 * number of documents; undefined, without a row, when the record cannot be read.
 */
function tryWriteRecord(
  { entities, documents, texts }: RowBuffers,
  { payload, version }: JournalRecord,
  droppedBeforeUs: number,
): number | undefined {
  try {
    const rows = readDocumentRows(completeRows(payload, version)).filter(({ seq }) => seq >= droppedBeforeUs);
    const parsed = rows.flatMap(({ format, text, seq }) => parseStored(format, text, seq));
    for (const { bytes } of rows) writeBytes(documents, bytes);
    for (const document of parsed) writeEntities(entities, document, texts);
    return rows.length;
  } catch {
    return undefined;
  }
}

function completeRows(payload: Buffer, version: PayloadVersion): Buffer {
  switch (version) {
    case 1:
      return withLaterColumns(payload, 'unpacked');
    case 2:
      return withLaterColumns(payload, 'unsplit');
    case 3:
      return payload;
  }
}
