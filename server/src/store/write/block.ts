import type { Document } from '../../model/entity.ts';
import { type LeanDocument, leanDocument } from '../../model/lean-document.ts';
import type { EncodedDocuments } from '../encoded-documents.ts';
import type { RowBlock } from '../engine/engine.ts';
import type { JournalFile } from '../journal/journal-file.ts';
import { createRowBuffer, type RowBuffer, writeBytes, writtenBytes } from '../row-binary.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, writeDocument, writeEntities } from './rows.ts';

export type Caller = { resolve(): void; reject(reason: unknown): void };

/** Encoded documents that are inserted together. */
export type Block = {
  readonly entities: RowBuffer;
  readonly documents: RowBuffer;
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

export function newBlock(): Block {
  return {
    entities: createRowBuffer(),
    documents: createRowBuffer(),
    leanDocuments: [],
    firstSeq: Number.POSITIVE_INFINITY,
    lastSeq: 0,
    openedMs: 0,
    file: undefined,
    callers: [],
    ended: Promise.resolve(),
    end() {},
  };
}

/** `block` is empty. */
export function beginBlock(block: Block, file: JournalFile | undefined): Block {
  block.firstSeq = Number.POSITIVE_INFINITY;
  block.lastSeq = 0;
  block.openedMs = performance.now();
  block.file = file;
  block.ended = new Promise((resolve) => {
    block.end = resolve;
  });
  return block;
}

export function addDocument(block: Block, document: Document, serverNumber: number): void {
  writeEntities(block.entities, document);
  writeDocument(block.documents, document, serverNumber);
  addLean(block, leanDocument(document));
}

export function addEncoded(block: Block, { entities, documents, leanDocuments }: EncodedDocuments): void {
  writeBytes(block.entities, writtenBytes(entities));
  writeBytes(block.documents, writtenBytes(documents));
  for (const lean of leanDocuments) addLean(block, lean);
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
export function cutBack(block: Block, { entities, documents, count }: BlockLengths): void {
  block.entities.length = entities;
  block.documents.length = documents;
  block.leanDocuments.length = count;
}

/** In the order of their inserts: every visible document has all its entity rows. */
export function rowBlocksOf(
  { entities, documents }: Pick<Block, 'entities' | 'documents'>,
  insertToken: string,
): readonly RowBlock[] {
  return [
    { table: 'entities', columns: ENTITY_COLUMNS, bytes: writtenBytes(entities), insertToken },
    { table: 'documents', columns: DOCUMENT_COLUMNS, bytes: writtenBytes(documents), insertToken },
  ];
}

export const bytesOf = ({ entities, documents }: Block): number => entities.length + documents.length;
