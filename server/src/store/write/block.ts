import type { Document } from '../../model/entity.ts';
import { leanDocument } from '../../model/lean-document.ts';
import type { EncodedDocuments } from '../encoded-documents.ts';
import type { RowBlock } from '../engine/engine.ts';
import type { JournalFile } from '../journal/journal-file.ts';
import { documentCount, type LeanBatch, leanBatch } from '../lean-batch.ts';
import { createRowBuffer, type RowBuffer, writtenBytes } from '../row-binary.ts';
import { addRows, type ChunkPool, cutRowsBack, newRowChunks, partsOf, type RowChunks } from './row-chunks.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, writeDocument, writeEntities } from './rows.ts';
import { evictTexts, newSharedTexts, type SharedTexts } from './shared-texts.ts';

export type Caller = { resolve(): void; reject(reason: unknown): void };

/** Encoded documents that are inserted together. */
export type Block = {
  readonly entities: RowChunks;
  readonly documents: RowChunks;
  /** Lean copies, so that a document can be released once its rows are encoded: one batch for each `append`. */
  readonly lean: LeanBatch[];
  /** The number of its documents. */
  count: number;
  /** The lowest and the highest `seq` of its documents. */
  firstSeq: number;
  lastSeq: number;
  openedMs: number;
  /** One of an earlier process has the rows, which the block gets right before its insert. */
  readonly file: JournalFile | LeftFile | undefined;
  /** Without a journal: one for each `append`. */
  readonly callers: Caller[];
  /** Resolves once the block is inserted or refused. */
  ended: Promise<void>;
  end(): void;
};

/** A journal file of an earlier process: the documents of a block that is not inserted, or not known to be. */
export type LeftFile = {
  /** The insert token that the block had: documents that are in the store already are not stored twice. */
  readonly name: string;
  /** Of its documents. */
  readonly bytes: number;
  /** The lowest and the highest `seq` of its documents: Infinity and 0 when it has none. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The rows of each `append`, valid until the next ones. Other code runs between them. Throws when it cannot be read. */
  rows(): AsyncIterable<LeftRows>;
  /** Call once its rows are inserted: deletes the file, or sets a damaged one aside. */
  remove(): Promise<void>;
};

export type LeftRows = { readonly entities: RowBuffer; readonly documents: RowBuffer; readonly count: number };

/** A block without documents. */
export function newBlock(file: Block['file']): Block {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    entities: newRowChunks(),
    documents: newRowChunks(),
    lean: [],
    count: 0,
    firstSeq: Number.POSITIVE_INFINITY,
    lastSeq: 0,
    openedMs: performance.now(),
    file,
    callers: [],
    ended,
    end,
  };
}

/** A block with the numbers of its documents, and without their rows. */
export function leftBlock(file: LeftFile): Block {
  return { ...newBlock(file), firstSeq: file.firstSeq, lastSeq: file.lastSeq };
}

/** Copies the rows of one `append` of an earlier process. */
export function addLeft(block: Block, { entities, documents, count }: LeftRows, pool: ChunkPool): void {
  addRows(block.entities, writtenBytes(entities), pool);
  addRows(block.documents, writtenBytes(documents), pool);
  block.count += count;
}

/** Copies the rows. Returns those of the documents, which stay valid until the block is cut back. */
export function addEncoded(block: Block, { entities, documents, lean }: EncodedDocuments, pool: ChunkPool): Uint8Array {
  addRows(block.entities, writtenBytes(entities), pool);
  block.lean.push(lean);
  block.count += documentCount(lean);
  block.firstSeq = Math.min(block.firstSeq, lean.firstSeq);
  block.lastSeq = Math.max(block.lastSeq, lean.lastSeq);
  return addRows(block.documents, writtenBytes(documents), pool);
}

/** The rows of documents that are stored together. */
export type RowBuffers = {
  readonly entities: RowBuffer;
  readonly documents: RowBuffer;
  /** Attributes of the rows, which later rows of the same trace leave out. */
  readonly texts: SharedTexts;
};

export function newRowBuffers(): RowBuffers {
  return { entities: createRowBuffer(), documents: createRowBuffer(), texts: newSharedTexts() };
}

/** Larger buffers are not kept for the next documents. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** The buffers without rows, or new ones in place of large ones. */
export function emptied(buffers: RowBuffers): RowBuffers {
  const { entities, documents, texts } = buffers;
  if (entities.bytes.length + documents.bytes.length > MAX_KEPT_BYTES) return newRowBuffers();
  entities.length = 0;
  documents.length = 0;
  evictTexts(texts);
  return buffers;
}

/** Returns a function whose result is valid until its next call. */
export function newDocumentEncoder(serverNumber: number): (documents: readonly Document[]) => EncodedDocuments {
  let rows = newRowBuffers();
  return (documents) => {
    rows = emptied(rows);
    for (const document of documents) {
      writeEntities(rows.entities, document, rows.texts);
      writeDocument(rows.documents, document, serverNumber);
    }
    const lean = leanBatch(documents.map(leanDocument));
    return { entities: rows.entities, documents: rows.documents, lean };
  };
}

export type BlockLengths = Readonly<Record<'entities' | 'documents' | 'lean' | 'count', number>>;
export const EMPTY: BlockLengths = { entities: 0, documents: 0, lean: 0, count: 0 };

export function lengthsOf({ entities, documents, lean, count }: Block): BlockLengths {
  return { entities: entities.length, documents: documents.length, lean: lean.length, count };
}

/** Removes the documents that were appended after the block had these lengths. */
export function cutBack(block: Block, { entities, documents, lean, count }: BlockLengths, pool: ChunkPool): void {
  cutRowsBack(block.entities, entities, pool);
  cutRowsBack(block.documents, documents, pool);
  block.lean.length = lean;
  block.count = count;
}

/** In the order of their inserts: every visible document has all its entity rows. */
export function rowBlocksOf(
  { entities, documents }: { readonly entities: RowBlock['bytes']; readonly documents: RowBlock['bytes'] },
  insertToken: string,
): readonly [entities: RowBlock, documents: RowBlock] {
  return [
    { table: 'entities', columns: ENTITY_COLUMNS, bytes: entities, insertToken },
    { table: 'documents', columns: DOCUMENT_COLUMNS, bytes: documents, insertToken },
  ];
}

export const rowsOfBlock = ({ entities, documents }: Block, insertToken: string): ReturnType<typeof rowBlocksOf> =>
  rowBlocksOf({ entities: partsOf(entities), documents: partsOf(documents) }, insertToken);

export const bytesOf = ({ entities, documents }: Block): number => entities.length + documents.length;
