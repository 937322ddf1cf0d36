import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import { type LeanDocument, leanDocument } from '../model/lean-document.ts';
import { messageOf } from './clickhouse-errors.ts';
import type { RowBlock } from './engine.ts';
import type { RecentDocumentsCache } from './recent-documents.ts';
import { createRowBuffer, type RowBuffer, writtenBytes } from './row-binary.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, writeDocument, writeEntities } from './rows.ts';
import type { DocumentCounts } from './store.ts';

export type GroupCommitOptions = {
  readonly insert: (block: RowBlock) => Promise<void>;
  /** Tells apart what several servers on one store took in the same microsecond. */
  readonly serverNumber: number;
  /** The least time from one block to the next. A document after a quiet time waits for nobody. */
  readonly commitIntervalMs: number;
  /** Encoded rows that may wait or be on their way, together. */
  readonly queueMaxBytes: number;
  /** Told of each block the moment it is stored, and of one of which nobody knows whether it is. */
  readonly recent: Pick<RecentDocumentsCache, 'add' | 'invalidate'>;
  readonly log: { warn(fields: object, sentence: string): void };
};

export type GroupCommit = {
  append(documents: readonly Document[]): Promise<void>;
  counts(): DocumentCounts;
  /** See the store's. */
  lowWatermark(): number | undefined;
  /** Inserts what waits; from then on `append` refuses. */
  close(): Promise<void>;
};

type Block = {
  readonly entities: RowBuffer;
  readonly documents: RowBuffer;
  /** Lean: nothing here holds on to the whole of a document once its rows are written. */
  readonly leanDocuments: LeanDocument[];
  /** The least of its documents. */
  firstSeq: number;
  /** One `append` each. */
  readonly callers: { resolve(): void; reject(reason: unknown): void }[];
};

/** A block of this size is inserted without waiting for more. */
const BLOCK_BYTES = 16 * 1024 * 1024;
/** As long as a block may be kept back after the one before it, so that it grows. */
const MAX_LINGER_MS = 60;
/** An insert that fails is tried again after each of these. */
const RETRY_AFTER_MS: readonly number[] = [50, 500];
const WARN_EVERY_MS = 60_000;

/**
 * Collects documents and inserts them as blocks, one block at a time, entities before documents: a document that can be
 * seen has all its entity rows. A block that is tried again may double entity rows; readers resolve those by document
 * as they resolve re-sent documents, and merges drop them.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  let received = 0;
  let stored = 0;
  let refused = 0;
  let queued = 0;
  let queuedBytes = 0;
  const spare: Block[] = [];
  let open: Block | undefined;
  const onTheirWay = new Set<Block>();
  /** The open block has rested long enough. */
  let isDue = false;
  const full: Block[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lastEndedMs = Number.NEGATIVE_INFINITY;
  let lastTookMs = 0;
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let draining: Promise<void> | undefined;
  let isClosed = false;

  function append(documents: readonly Document[]): Promise<void> {
    received += documents.length;
    const refusal = whyRefused();
    if (refusal) {
      refused += documents.length;
      return Promise.reject(refusal);
    }
    if (documents.length === 0) return Promise.resolve();
    const block = openBlock();
    const before = bytesOf(block);
    for (const document of documents) {
      block.leanDocuments.push(leanDocument(document));
      writeEntities(block.entities, document);
      writeDocument(block.documents, document, options.serverNumber);
      block.firstSeq = Math.min(block.firstSeq, document.seq);
    }
    onTheirWay.add(block);
    queued += documents.length;
    queuedBytes += bytesOf(block) - before;
    const done = new Promise<void>((resolve, reject) => block.callers.push({ resolve, reject }));
    if (bytesOf(block) >= BLOCK_BYTES) setAside(block);
    return done;
  }

  function whyRefused(): OpenrayError | undefined {
    if (isClosed) return new OpenrayError('ServiceUnavailable', 'The store is closing');
    if (queuedBytes < options.queueMaxBytes) return undefined;
    return new OpenrayError('ThrottledException', 'Documents arrive faster than they can be stored', {
      retryAfterSeconds: 1,
    });
  }

  function openBlock(): Block {
    if (open) return open;
    open = spare.pop() ?? newBlock();
    if (!draining) setTimer();
    return open;
  }

  /**
   * After a block the next one rests about as long as it took. Whoever was waiting for it sends again meanwhile, and all
   * of that makes one block and not two: small ones cost the engine, which has to merge them, more than they bring.
   */
  function setTimer(): void {
    const restMs = Math.max(options.commitIntervalMs - lastTookMs, Math.min(lastTookMs, MAX_LINGER_MS));
    timer = setTimeout(markDue, lastEndedMs + restMs - performance.now());
  }

  function markDue(): void {
    isDue = true;
    wake();
  }

  function setAside(block: Block): void {
    clearTimeout(timer);
    open = undefined;
    full.push(block);
    wake();
  }

  function wake(): void {
    draining ??= drain().finally(() => {
      draining = undefined;
      if (full.length > 0 || isDue) wake();
      else if (open) setTimer();
    });
  }

  async function drain(): Promise<void> {
    for (let block = nextBlock(); block; block = nextBlock()) {
      const begunMs = performance.now();
      await commit(block);
      lastEndedMs = performance.now();
      lastTookMs = lastEndedMs - begunMs;
      recycle(block);
    }
  }

  function nextBlock(): Block | undefined {
    const block = full.shift();
    if (block || !isDue) return block;
    clearTimeout(timer);
    isDue = false;
    const due = open;
    open = undefined;
    return due;
  }

  async function commit(block: Block): Promise<void> {
    let failure: unknown;
    try {
      await insertWithRetries({ table: 'entities', columns: ENTITY_COLUMNS, bytes: writtenBytes(block.entities) });
      await insertWithRetries({
        table: 'documents',
        columns: DOCUMENT_COLUMNS,
        bytes: writtenBytes(block.documents),
      });
    } catch (thrown) {
      failure = thrown;
    }
    onTheirWay.delete(block);
    queued -= block.leanDocuments.length;
    queuedBytes -= bytesOf(block);
    if (failure === undefined) {
      stored += block.leanDocuments.length;
      options.recent.add(block.leanDocuments);
      for (const { resolve } of block.callers) resolve();
    } else {
      refused += block.leanDocuments.length;
      options.recent.invalidate(block.leanDocuments);
      const refusal = new OpenrayError('ServiceUnavailable', 'The store can not take documents now', {
        cause: failure,
        retryAfterSeconds: 5,
      });
      for (const { reject } of block.callers) reject(refusal);
    }
  }

  async function insertWithRetries(rows: RowBlock): Promise<void> {
    for (const retryAfterMs of RETRY_AFTER_MS) {
      try {
        await options.insert(rows);
        return;
      } catch (thrown) {
        warnRarely(rows.table, thrown);
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      }
    }
    await options.insert(rows);
  }

  function warnRarely(table: string, thrown: unknown): void {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + WARN_EVERY_MS;
    options.log.warn({ table, reason: reasonOf(thrown), refused }, 'inserts fail and are tried again');
  }

  /** One block is kept for reuse: its buffers have grown to what this load needs. */
  function recycle(block: Block): void {
    if (spare.length > 0) return;
    block.entities.length = 0;
    block.documents.length = 0;
    block.leanDocuments.length = 0;
    block.firstSeq = Number.POSITIVE_INFINITY;
    block.callers.length = 0;
    spare.push(block);
  }

  async function close(): Promise<void> {
    isClosed = true;
    markDue();
    while (draining) await draining;
  }

  function settledSeq(): number | undefined {
    if (onTheirWay.size === 0) return undefined;
    return Math.min(...Array.from(onTheirWay, ({ firstSeq }) => firstSeq)) - 1;
  }

  return {
    append,
    close,
    lowWatermark: settledSeq,
    counts: () => ({ received, stored, queued, refused, queuedBytes }),
  };
}

function newBlock(): Block {
  return {
    entities: createRowBuffer(),
    documents: createRowBuffer(),
    leanDocuments: [],
    firstSeq: Number.POSITIVE_INFINITY,
    callers: [],
  };
}

const bytesOf = ({ entities, documents }: Block): number => entities.length + documents.length;

function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return messageOf(cause ?? thrown);
}
