import { parseStored } from '../../model/parse-stored.ts';
import type { Engine } from '../engine/engine.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalRecord, PayloadVersion } from '../journal/records.ts';
import { createRowBuffer, writeBytes, writtenBytes } from '../row-binary.ts';
import { rowBlocksOf } from './block.ts';
import { readDocumentRows, withLaterColumns, writeEntities } from './rows.ts';
import { evictTexts, newSharedTexts } from './shared-texts.ts';

type ReplayLog = {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
};

/**
 * Inserts the documents of an earlier process and returns their number. Each file is a block with the insert token that
 * it had, so that documents which are in the store already are not stored twice. Documents that arrived before
 * `droppedBeforeUs` stay deleted. Throws as `insert` does; then the next start continues.
 */
export async function replayJournal(
  journal: Journal,
  { insert }: Pick<Engine, 'insert'>,
  { droppedBeforeUs = 0, log }: { readonly droppedBeforeUs: number | undefined; readonly log: ReplayLog },
): Promise<number> {
  const began = performance.now();
  let documents = 0;
  for (const name of await journal.leftFiles()) {
    const { records, damaged, torn } = await journal.read(name);
    if (torn) log.warn({ file: name, ...torn }, 'a journal file ends with an unfinished write, which is ignored');
    const block = encodeBlock(records, droppedBeforeUs);
    const isIntact = damaged.length === 0 && block.unreadable === 0;
    if (block.count > 0) for (const rows of rowBlocksOf(block, name)) await insert(rows);
    documents += block.count;
    if (isIntact) await journal.remove(name);
    else {
      const file = await journal.setAside(name);
      log.warn({ file, damaged, unreadable: block.unreadable }, 'a journal file is damaged: some documents are lost');
    }
  }
  if (documents > 0) {
    log.info({ documents, ms: Math.round(performance.now() - began) }, 'documents of the journal inserted');
  }
  return documents;
}

type ReplayBlock = {
  readonly entities: Uint8Array;
  readonly documents: Uint8Array;
  readonly count: number;
  /** Intact records whose documents cannot be read. */
  readonly unreadable: number;
};

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

/** A record is the rows of `documents` of one `append`. Their entity rows are made again, byte for byte. */
function encodeBlock(records: readonly JournalRecord[], droppedBeforeUs: number): ReplayBlock {
  const entities = createRowBuffer();
  const documents = createRowBuffer();
  const texts = newSharedTexts();
  let count = 0;
  let unreadable = 0;
  for (const { payload, version } of records) {
    try {
      const rows = readDocumentRows(completeRows(payload, version)).filter(({ seq }) => seq >= droppedBeforeUs);
      const parsed = rows.flatMap(({ format, text, seq }) => parseStored(format, text, seq));
      for (const { bytes } of rows) writeBytes(documents, bytes);
      evictTexts(texts);
      for (const document of parsed) writeEntities(entities, document, texts);
      count += rows.length;
    } catch {
      unreadable++;
    }
  }
  return { entities: writtenBytes(entities), documents: writtenBytes(documents), count, unreadable };
}
