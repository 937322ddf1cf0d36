import { randomUUID } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import type { Document } from '../../model/entity.ts';
import type { EncodedDocuments } from '../encoded-documents.ts';
import { causeMessageOf, messageOf, toStoreFailure } from '../engine/clickhouse-errors.ts';
import type { RowBlock } from '../engine/engine.ts';
import type { JournalFile } from '../journal/journal-file.ts';
import { documentCount } from '../lean-batch.ts';
import type { RecentDocumentsCache } from '../recent-documents.ts';
import { sql } from '../sql.ts';
import type { DocumentCounts } from '../store.ts';
import {
  addEncoded,
  addLeft,
  type Block,
  type BlockLengths,
  bytesOf,
  type Caller,
  cutBack,
  EMPTY,
  type LeftFile,
  leftBlock,
  lengthsOf,
  newBlock,
  newDocumentEncoder,
  rowsOfBlock,
} from './block.ts';
import { cutRowsBack, newChunkPool } from './row-chunks.ts';

export type GroupCommitOptions = {
  readonly insert: (block: RowBlock) => Promise<void>;
  /** Distinguishes documents that several servers on one store received in the same microsecond. */
  readonly serverNumber: number;
  /**
   * The journal file of the next block. Documents are acknowledged once they are in it, and inserted by a flush.
   * Undefined: without a journal, documents are acknowledged once they are inserted.
   */
  readonly newJournalFile?: (() => JournalFile) | undefined;
  /** Inserted before all other documents, in their order. */
  readonly left?: readonly LeftFile[] | undefined;
  /** Limit of encoded rows that are not inserted yet. */
  readonly queueMaxBytes: number;
  /** Receives each block once it is inserted, and each refused block, which may be inserted in part. */
  readonly recent: Pick<RecentDocumentsCache, 'add' | 'invalidate'>;
  /** Called after each block, with the highest `seq` of its documents. */
  readonly onInserted?: (lastSeq: number) => void;
  readonly log: { warn(fields: object, sentence: string): void };
};

export type GroupCommit = {
  /** Resolves once the documents are acknowledged. */
  append(documents: readonly Document[] | EncodedDocuments): Promise<void>;
  /**
   * Resolves once every document that was acknowledged before the call is inserted, also by an earlier process.
   * Simultaneous calls share a block.
   */
  flush(): Promise<void>;
  counts(): DocumentCounts;
  /** Resolves once the files of an earlier process are inserted. Never rejects. */
  readonly replayed: Promise<void>;
  /** Documents of these files that are inserted so far. */
  replayedCount(): number;
  /** See Store. */
  lowWatermark(): number | undefined;
  /** Inserts the waiting documents; what cannot be inserted stays in the journal. Later calls of `append` reject. */
  close(): Promise<void>;
};

/** A block is full with this many bytes of documents, this many documents, or a share of the queue. */
const BLOCK_BYTES = 16 * 1024 * 1024;
const BLOCK_DOCUMENTS = 40_000;
const BLOCK_SHARE_OF_QUEUE = 0.25;
/** With a journal: documents for which no question comes are inserted after this time. */
const FLUSH_AFTER_MS = 10_000;
/** Without a journal: maximum delay of a block after the previous one, in which it grows. */
const MAX_LINGER_MS = 60;
/** Delays before the retries of a failed insert. With a journal the last one repeats until the insert succeeds. */
const RETRY_AFTER_MS: readonly number[] = [50, 500];
const JOURNAL_RETRY_AFTER_MS: readonly number[] = [...RETRY_AFTER_MS, 2_000];
/**
 * Without a journal senders wait for the insert: a block is stored or refused after this time, and one attempt takes at
 * most a part of it, so that another host or a restarted shard gets an attempt, too. A document waits for the block
 * before its own and for its own.
 */
const COMMIT_MAX_MS = 30_000;
const ATTEMPT_MAX_MS = 15_000;
const WARN_EVERY_MS = 60_000;

/**
 * Collects documents and inserts them as blocks, one block at a time, entities before documents: every visible document
 * has all its entity rows. A block has an insert token, so that an insert that is repeated stores it once.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { newJournalFile } = options;
  /** Of insert tokens without a journal. */
  const session = randomUUID();
  let blockCount = 0;
  let received = 0;
  let stored = 0;
  let refused = 0;
  let queued = 0;
  let queuedBytes = 0;
  let replayedCount = 0;
  const pool = newChunkPool();
  const encode = newDocumentEncoder(options.serverNumber);
  let open: Block | undefined;
  /** In the order of their inserts. */
  const inFlight = new Set<Block>();
  /** The open block should be inserted. */
  let isDue = false;
  const full: Block[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lastEndedMs = Number.NEGATIVE_INFINITY;
  let lastTookMs = 0;
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let draining: Promise<void> | undefined;
  const closing = new AbortController();

  function append(documents: readonly Document[] | EncodedDocuments): Promise<void> {
    const count = 'lean' in documents ? documentCount(documents.lean) : documents.length;
    received += count;
    const refusal = refusalReason();
    if (refusal) {
      refused += count;
      return Promise.reject(refusal);
    }
    if (count === 0) return Promise.resolve();
    const block = openBlock();
    const before = lengthsOf(block);
    const encoded = 'lean' in documents ? documents : encode(documents);
    const documentRows = addEncoded(block, encoded, pool);
    inFlight.add(block);
    queued += count;
    const bytes = bytesOf(block) - before.entities - before.documents;
    queuedBytes += bytes;
    const done = new Promise<void>((resolve, reject) => {
      const caller = { resolve, reject };
      if (block.file && 'append' in block.file)
        writeToJournal(block, block.file, { documentRows, before, count, bytes, caller });
      else block.callers.push(caller);
    });
    if (block === open && isFull(block)) enqueueFull(block);
    return done;
  }

  type Appended = {
    readonly documentRows: Uint8Array;
    readonly before: BlockLengths;
    readonly count: number;
    readonly bytes: number;
    readonly caller: Caller;
  };

  /** The record of an `append` is the rows of its documents. A failed write removes them from the block again. */
  function writeToJournal(block: Block, file: JournalFile, appended: Appended): void {
    const { documentRows, before, count, bytes, caller } = appended;
    file.append(documentRows, {
      onWritten() {
        queued -= count;
        stored += count;
        caller.resolve();
      },
      onFailed(reason) {
        cutBack(block, before, pool);
        queued -= count;
        queuedBytes -= bytes;
        refused += count;
        warnRateLimited('the journal cannot be written', { reason: messageOf(reason) });
        caller.reject(cannotAccept(toStoreFailure(reason)));
        // The next documents start a new file.
        if (block === open) enqueueFull(block);
      },
    });
  }

  function refusalReason(): OpenrayError | undefined {
    if (closing.signal.aborted) return new OpenrayError('ServiceUnavailable', 'The store is closing');
    if (queuedBytes < options.queueMaxBytes) return undefined;
    return new OpenrayError('ThrottledException', 'Documents arrive faster than they can be stored', {
      retryAfterSeconds: 1,
    });
  }

  function openBlock(): Block {
    if (open) return open;
    open = newBlock(newJournalFile?.());
    if (newJournalFile || !draining) scheduleCommit();
    return open;
  }

  function isFull(block: Block): boolean {
    return (
      block.documents.length >= BLOCK_BYTES ||
      block.count >= BLOCK_DOCUMENTS ||
      bytesOf(block) >= options.queueMaxBytes * BLOCK_SHARE_OF_QUEUE
    );
  }

  function scheduleCommit(): void {
    clearTimeout(timer);
    timer = setTimeout(markDue, newJournalFile ? FLUSH_AFTER_MS : lingerMs());
  }

  /**
   * Without a journal, delays the next block about as long as the previous insert took. Senders that waited for that
   * insert send again in this time, and their documents form one block and not two: the engine has to merge small
   * blocks, which is expensive.
   */
  function lingerMs(): number {
    // The instant may be past, and is -Infinity before the first insert: Node 24 warns of a negative delay.
    return Math.max(0, lastEndedMs + Math.min(lastTookMs, MAX_LINGER_MS) - performance.now());
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
      else if (open && !newJournalFile) scheduleCommit();
    });
  }

  async function drain(): Promise<void> {
    for (let block = nextBlock(); block; block = nextBlock()) {
      const startMs = performance.now();
      await commit(block);
      lastEndedMs = performance.now();
      lastTookMs = lastEndedMs - startMs;
      cutBack(block, EMPTY, pool);
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
    const { file } = block;
    const isLeft = file !== undefined && 'rows' in file;
    try {
      if (isLeft) await addLeftRows(block, file);
      else await file?.close();
      if (block.count > 0) await insertBlock(block);
    } catch (thrown) {
      const { count } = block;
      // With a journal this happens in `close` only, or when a file cannot be read: the next start inserts it.
      if (file) options.log.warn({ count, reason: causeMessageOf(thrown) }, 'documents stay in the journal');
      else refused += count;
      options.recent.invalidate(block.lean);
      settle(block);
      for (const { reject } of block.callers) reject(cannotAccept(thrown));
      return;
    }
    const { count } = block;
    if (isLeft) replayedCount += count;
    else if (!file) stored += count;
    options.recent.add(block.lean);
    settle(block);
    for (const { resolve } of block.callers) resolve();
    if (count > 0) options.onInserted?.(block.lastSeq);
    await removeFile(block);
  }

  async function addLeftRows(block: Block, file: LeftFile): Promise<void> {
    try {
      for await (const rows of file.rows()) {
        if (closing.signal.aborted) throw new OpenrayError('ServiceUnavailable', 'The store is closing');
        addLeft(block, rows, pool);
      }
    } finally {
      queuedBytes += bytesOf(block) - file.bytes;
    }
  }

  async function replay(left: readonly LeftFile[]): Promise<void> {
    if (left.length === 0) return;
    const blocks = left.map(leftBlock);
    for (const block of blocks) inFlight.add(block);
    queuedBytes += left.reduce((sum, { bytes }) => sum + bytes, 0);
    full.push(...blocks);
    startDraining();
    await Promise.all(blocks.map(({ ended }) => ended));
  }

  /** Nothing waits for the block any more. */
  function settle(block: Block): void {
    inFlight.delete(block);
    if (!block.file) queued -= block.count;
    queuedBytes -= bytesOf(block);
    block.end();
  }

  async function insertBlock(block: Block): Promise<void> {
    const insertToken = block.file?.name ?? `${session}/${++blockCount}`;
    const retries = block.file ? JOURNAL_RETRY_AFTER_MS : RETRY_AFTER_MS;
    const { length: entityBytes } = block.entities;
    const [entities, documents] = rowsOfBlock(block, insertToken);
    const deadlineMs = block.file ? Number.POSITIVE_INFINITY : performance.now() + COMMIT_MAX_MS;
    const among = sql`seq BETWEEN ${block.firstSeq} AND ${block.lastSeq}`;
    await insertWithRetries(entities, { key: ['trace_id', 'id', 'seq'], among }, retries, deadlineMs);
    // Entities are two thirds of the bytes. Their room is free for other documents before the second insert ends.
    cutRowsBack(block.entities, 0, pool);
    queuedBytes -= entityBytes;
    const own = sql.and([among, sql`server = ${options.serverNumber}`]);
    await insertWithRetries(documents, { key: ['trace_id', 'id', 'seq'], among: own }, retries, deadlineMs);
  }

  async function insertWithRetries(
    rows: RowBlock,
    repeats: RowBlock['repeats'],
    retryAfterMs: readonly number[],
    deadlineMs: number,
  ): Promise<void> {
    const isEndless = retryAfterMs === JOURNAL_RETRY_AFTER_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        const timeoutMs = Math.max(1, Math.min(ATTEMPT_MAX_MS, deadlineMs - performance.now()));
        await options.insert({ ...rows, ...(!isEndless && { timeoutMs }), ...(attempt > 0 && repeats && { repeats }) });
        return;
      } catch (thrown) {
        const isLast = attempt >= retryAfterMs.length && (!isEndless || closing.signal.aborted);
        if (isLast || performance.now() >= deadlineMs) throw thrown;
        warnRateLimited('insert failed; retrying', { table: rows.table, reason: causeMessageOf(thrown) });
        const waitMs = retryAfterMs[Math.min(attempt, retryAfterMs.length - 1)];
        await pause(waitMs, isEndless ? closing.signal : undefined);
      }
    }
  }

  /** A file that stays is inserted again by the next start, which its token makes harmless. */
  async function removeFile({ file }: Block): Promise<void> {
    await file?.remove().catch((thrown) => {
      warnRateLimited('a journal file cannot be removed', { reason: messageOf(thrown) });
    });
  }

  function warnRateLimited(sentence: string, fields: object): void {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + WARN_EVERY_MS;
    options.log.warn({ ...fields, refused }, sentence);
  }

  function flush(): Promise<void> {
    // Without a journal every acknowledged document is inserted, except those of an earlier process.
    const last = Array.from(inFlight).findLast(({ file }) => file !== undefined);
    if (last === undefined) return Promise.resolve();
    if (open) markDue();
    return last.ended;
  }

  async function close(): Promise<void> {
    closing.abort();
    markDue();
    while (draining) await draining;
  }

  function lowWatermark(): number | undefined {
    if (inFlight.size === 0) return undefined;
    return Math.min(...Array.from(inFlight, ({ firstSeq }) => firstSeq)) - 1;
  }

  function oldestWaitingMs(): number {
    const [oldest] = inFlight;
    return oldest === undefined ? 0 : performance.now() - oldest.openedMs;
  }

  const replayed = replay(options.left ?? []);

  return {
    append,
    flush,
    replayed,
    replayedCount: () => replayedCount,
    close,
    lowWatermark,
    counts: () => ({ received, stored, queued, refused, queuedBytes, oldestWaitingMs: oldestWaitingMs() }),
  };
}

function cannotAccept(cause: unknown): OpenrayError {
  return new OpenrayError('ServiceUnavailable', 'The store cannot accept documents now', {
    cause,
    retryAfterSeconds: 5,
  });
}

/** Ends early when `signal` fires. */
function pause(ms: number | undefined, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
