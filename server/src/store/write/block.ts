import type { Document } from '../../model/entity.ts';
import { type LeanDocument, leanDocument } from '../../model/lean-document.ts';
import type { EncodedDocuments } from '../encoded-documents.ts';
import type { RowBlock } from '../engine/engine.ts';
import type { JournalFile } from '../journal/journal-file.ts';
import { createRowBuffer, type RowBuffer, writtenBytes } from '../row-binary.ts';
import { addRows, type ChunkPool, cutRowsBack, newRowChunks, partsOf, type RowChunks } from './row-chunks.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, writeDocument, writeEntities } from './rows.ts';

export type Caller = { resolve(): void; reject(reason: unknown): void };

/** Encoded documents that are inserted together. */
export type Block = {
  readonly entities: RowChunks;
  readonly documents: RowChunks;
  /** Lean copies, so that a document can be released once its rows are encoded. */
  readonly leanDocuments: LeanDocument[];
  /** The lowest and the highest `seq` of its documents. */
  firstSeq: number;
  lastSeq: number;
  openedMs: number;
  file: JournalFile | undefined;
  /** Without a journal: one for each `append`. */
  readonly callers: Caller[];
  /** Resolves once the block is inserted or refused. */
  ended: Promise<void>;
  end(): void;
};

export function newBlock(file: JournalFile | undefined): Block {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    entities: newRowChunks(),
    documents: newRowChunks(),
    leanDocuments: [],
    firstSeq: Number.POSITIVE_INFINITY,
    lastSeq: 0,
    openedMs: performance.now(),
    file,
    callers: [],
    ended,
    end,
  };
}

/** Copies the rows. Returns those of the documents, which stay valid until the block is cut back. */
export function addEncoded(
  block: Block,
  { entities, documents, leanDocuments }: EncodedDocuments,
  pool: ChunkPool,
): Uint8Array {
  addRows(block.entities, writtenBytes(entities), pool);
  for (const lean of leanDocuments) addLean(block, lean);
  return addRows(block.documents, writtenBytes(documents), pool);
}

type EncodingBuffers = { readonly entities: RowBuffer; readonly documents: RowBuffer };

/** Larger buffers are not kept for the next call. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** Returns a function whose result is valid until its next call. */
export function newDocumentEncoder(serverNumber: number): (documents: readonly Document[]) => EncodedDocuments {
  const newBuffers = (): EncodingBuffers => ({ entities: createRowBuffer(), documents: createRowBuffer() });
  let buffers = newBuffers();
  return (documents) => {
    if (buffers.entities.bytes.length + buffers.documents.bytes.length > MAX_KEPT_BYTES) buffers = newBuffers();
    buffers.entities.length = 0;
    buffers.documents.length = 0;
    for (const document of documents) {
      writeEntities(buffers.entities, document);
      writeDocument(buffers.documents, document, serverNumber);
    }
    return { ...buffers, leanDocuments: documents.map(leanDocument) };
  };
}

function addLean(block: Block, lean: LeanDocument): void {
  block.leanDocuments.push(lean);
  block.firstSeq = Math.min(block.firstSeq, lean.seq);
  block.lastSeq = Math.max(block.lastSeq, lean.seq);
}

export type BlockLengths = { readonly entities: number; readonly documents: number; readonly count: number };
export const EMPTY: BlockLengths = { entities: 0, documents: 0, count: 0 };

export function lengthsOf({ entities, documents, leanDocuments }: Block): BlockLengths {
  return { entities: entities.length, documents: documents.length, count: leanDocuments.length };
}

/** Removes the documents that were appended after the block had these lengths. */
export function cutBack(block: Block, { entities, documents, count }: BlockLengths, pool: ChunkPool): void {
  cutRowsBack(block.entities, entities, pool);
  cutRowsBack(block.documents, documents, pool);
  block.leanDocuments.length = count;
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
