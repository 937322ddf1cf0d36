import { OpenrayError } from '../../errors.ts';
import type { Document } from '../../model/entity.ts';
import { type LeanDocument, leanDocument } from '../../model/lean-document.ts';
import { messageOf } from '../engine/clickhouse-errors.ts';
import type { RowBlock } from '../engine/engine.ts';
import type { RecentDocumentsCache } from '../recent-documents.ts';
import type { DocumentCounts } from '../store.ts';
import { createRowBuffer, type RowBuffer, writtenBytes } from './row-binary.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS, writeDocument, writeEntities } from './rows.ts';

export type GroupCommitOptions = {
  readonly insert: (block: RowBlock) => Promise<void>;
  /** Distinguishes documents that several servers on one store received in the same microsecond. */
  readonly serverNumber: number;
  /** Minimum time between two blocks. After an idle time a document is inserted at once. */
  readonly commitIntervalMs: number;
  /** Limit of encoded rows that wait or are in flight. */
  readonly queueMaxBytes: number;
  /** Receives each block once it is stored, and each failed block, which may be stored in part. */
  readonly recent: Pick<RecentDocumentsCache, 'add' | 'invalidate'>;
  readonly log: { warn(fields: object, sentence: string): void };
};

export type GroupCommit = {
  append(documents: readonly Document[]): Promise<void>;
  counts(): DocumentCounts;
  /** See Store. */
  lowWatermark(): number | undefined;
  /** Inserts the waiting documents. Later calls of `append` reject. */
  close(): Promise<void>;
};

type Block = {
  readonly entities: RowBuffer;
  readonly documents: RowBuffer;
  /** Lean copies, so that a document can be released once its rows are encoded. */
  readonly leanDocuments: LeanDocument[];
  /** The lowest `seq` of its documents. */
  firstSeq: number;
  /** One for each `append`. */
  readonly callers: { resolve(): void; reject(reason: unknown): void }[];
};

/** A block of this size is inserted at once. */
const BLOCK_BYTES = 16 * 1024 * 1024;
/** Maximum delay of a block after the previous one, in which it grows. */
const MAX_LINGER_MS = 60;
/** Delays before the retries of a failed insert. */
const RETRY_AFTER_MS: readonly number[] = [50, 500];
const WARN_EVERY_MS = 60_000;

/**
 * Collects documents and inserts them as blocks, one block at a time, entities before documents: every visible document
 * has all its entity rows. A retried block may duplicate entity rows. Readers resolve duplicates by document, as for
 * documents that were sent twice, and merges drop them.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  let received = 0;
  let stored = 0;
  let refused = 0;
  let queued = 0;
  let queuedBytes = 0;
  const spare: Block[] = [];
  let open: Block | undefined;
  const inFlight = new Set<Block>();
  /** The delay of the open block has passed. */
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
    const refusal = refusalReason();
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
    inFlight.add(block);
    queued += documents.length;
    queuedBytes += bytesOf(block) - before;
    const done = new Promise<void>((resolve, reject) => block.callers.push({ resolve, reject }));
    if (bytesOf(block) >= BLOCK_BYTES) enqueueFull(block);
    return done;
  }

  function refusalReason(): OpenrayError | undefined {
    if (isClosed) return new OpenrayError('ServiceUnavailable', 'The store is closing');
    if (queuedBytes < options.queueMaxBytes) return undefined;
    return new OpenrayError('ThrottledException', 'Documents arrive faster than they can be stored', {
      retryAfterSeconds: 1,
    });
  }

  function openBlock(): Block {
    if (open) return open;
    open = spare.pop() ?? newBlock();
    if (!draining) scheduleCommit();
    return open;
  }

  /**
   * Delays the next block about as long as the previous insert took. Senders that waited for that insert send again in
   * this time, and their documents form one block and not two: the engine has to merge small blocks, which is
   * expensive.
   */
  function scheduleCommit(): void {
    const delayMs = Math.max(options.commitIntervalMs - lastTookMs, Math.min(lastTookMs, MAX_LINGER_MS));
    // The instant may be past, and is -Infinity before the first insert: Node 24 warns of a negative delay.
    timer = setTimeout(markDue, Math.max(0, lastEndedMs + delayMs - performance.now()));
  }

  function markDue(): void {
    isDue = true;
    startDraining();
  }

  function enqueueFull(block: Block): void {
    clearTimeout(timer);
    open = undefined;
    full.push(block);
    startDraining();
  }

  function startDraining(): void {
    draining ??= drain().finally(() => {
      draining = undefined;
      if (full.length > 0 || isDue) startDraining();
      else if (open) scheduleCommit();
    });
  }

  async function drain(): Promise<void> {
    for (let block = nextBlock(); block; block = nextBlock()) {
      const startMs = performance.now();
      await commit(block);
      lastEndedMs = performance.now();
      lastTookMs = lastEndedMs - startMs;
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
    inFlight.delete(block);
    queued -= block.leanDocuments.length;
    queuedBytes -= bytesOf(block);
    if (failure === undefined) {
      stored += block.leanDocuments.length;
      options.recent.add(block.leanDocuments);
      for (const { resolve } of block.callers) resolve();
    } else {
      refused += block.leanDocuments.length;
      options.recent.invalidate(block.leanDocuments);
      const refusal = new OpenrayError('ServiceUnavailable', 'The store cannot accept documents now', {
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
        warnRateLimited(rows.table, thrown);
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      }
    }
    await options.insert(rows);
  }

  function warnRateLimited(table: string, thrown: unknown): void {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + WARN_EVERY_MS;
    options.log.warn({ table, reason: reasonOf(thrown), refused }, 'insert failed; retrying');
  }

  /** Keeps one block for reuse: its buffers already have the size that this load needs. */
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

  function lowWatermark(): number | undefined {
    if (inFlight.size === 0) return undefined;
    return Math.min(...Array.from(inFlight, ({ firstSeq }) => firstSeq)) - 1;
  }

  return {
    append,
    close,
    lowWatermark,
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
