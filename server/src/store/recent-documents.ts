import type { LeanDocument } from '../model/lean-document.ts';
import type { TraceId } from '../model/trace-id.ts';
import { documentCount, type LeanBatch, leanRecordAt, memoryOf, recordCount } from './lean-batch.ts';
import {
  headCount,
  isOfTrace,
  isSameTrace,
  type LeanHeads,
  seqAt,
  traceHash,
  traceHashAt,
  traceIdAt,
} from './lean-heads.ts';

/**
 * The documents that were stored last, as far as the service graph needs them. The roll-up worker uses them and need
 * not read them from the store. Every stored document with a `seq` after `afterSeq` is here, and none that was deleted.
 */
export type RecentDocuments = {
  /** Infinity on a shared store, where the cache is always empty. */
  readonly afterSeq: number;
  /** Documents of a trace after `afterSeq`, in no particular order. */
  ofTrace(traceId: TraceId): readonly LeanDocument[];
  /** `seq` of the documents after one and through another, in ascending order. */
  seqsBetween(fromSeq: number, toSeq: number): Float64Array;
  /** Traces of these documents, in no particular order. */
  tracesBetween(fromSeq: number, toSeq: number): readonly TraceId[];
  /** Removes all documents up to `seq`: they are read from the store from now on. */
  evict(seq: number): void;
  /** Call when all documents up to `seq` are rolled up: only the newest of these stay. */
  rolledUp(seq: number): void;
};

export type RecentDocumentsCache = RecentDocuments & {
  /** Call with every block, as soon as it is stored. */
  add(batches: readonly LeanBatch[]): void;
  /** Some of these documents may be stored: they are read from the store. */
  invalidate(batches: readonly LeanBatch[]): void;
};

/** For a shared store: this process does not see the documents of other servers. */
export const NO_RECENT_DOCUMENTS: RecentDocumentsCache = {
  afterSeq: Number.POSITIVE_INFINITY,
  ofTrace: () => [],
  seqsBetween: () => new Float64Array(),
  tracesBetween: () => [],
  evict: () => undefined,
  rolledUp: () => undefined,
  add: () => undefined,
  invalidate: () => undefined,
};

/** A batch in the cache. Its documents have consecutive positions: its records, then the others. */
type Cached = {
  readonly batch: LeanBatch;
  readonly firstPosition: number;
  /** By document: the position of the one before it whose trace id has the same hash, or NONE. */
  readonly previous: Int32Array;
};

const NONE = -1;

/**
 * Documents that are rolled up stay for this time and within this share of the memory: senders export the spans of one
 * trace within seconds of each other, and a trace that is in memory as a whole needs no document from the store.
 */
const ROLLED_UP_US = 60_000_000;
const ROLLED_UP_SHARE = 0.375;

/** Caches the newest documents after `lastSeq`, about `maxBytes` of memory. */
export function newRecentDocuments(lastSeq: number, maxBytes: number): RecentDocumentsCache {
  /** In the order in which they were stored, which is nearly that of `seq`. */
  let cached: Cached[] = [];
  let nextPosition = 0;
  let cachedBytes = 0;
  let afterSeq = lastSeq;
  /** By hash of the trace id, the position of the last document: no text of an id is kept. Some may be evicted. */
  const lastPositions = new Map<number, number>();

  const firstPosition = (): number => cached[0]?.firstPosition ?? nextPosition;

  /** Drops the oldest batches. One that is evicted in part stays, and the other part is hidden. */
  function evict(seq: number): void {
    if (seq <= afterSeq) return;
    afterSeq = seq;
    const kept = cached.findIndex(({ batch }) => batch.lastSeq > seq);
    for (const { batch } of cached.splice(0, kept === NONE ? cached.length : kept)) cachedBytes -= memoryOf(batch);
    if (2 * firstPosition() > nextPosition) indexAgain();
  }

  function rolledUp(seq: number): void {
    let evictedSeq = seq - ROLLED_UP_US;
    let bytes = 0;
    for (const { batch } of cached.toReversed()) {
      if (batch.lastSeq > seq) continue;
      bytes += memoryOf(batch);
      if (bytes > maxBytes * ROLLED_UP_SHARE) evictedSeq = Math.max(evictedSeq, batch.lastSeq);
    }
    evict(evictedSeq);
  }

  function indexAgain(): void {
    const batches = cached;
    cached = [];
    nextPosition = 0;
    cachedBytes = 0;
    lastPositions.clear();
    for (const { batch } of batches) cache(batch);
  }

  function cache(batch: LeanBatch): void {
    const previous = new Int32Array(documentCount(batch));
    for (let index = 0; index < previous.length; index++) {
      const document = objectAt(batch, index);
      const hash =
        document === undefined ? traceHashAt(batch.records.heads, index) : traceHash(idBytes(document.traceId), 0);
      previous[index] = lastPositions.get(hash) ?? NONE;
      lastPositions.set(hash, nextPosition + index);
    }
    cached.push({ batch, firstPosition: nextPosition, previous });
    nextPosition += previous.length;
    cachedBytes += memoryOf(batch);
  }

  function batchAt(position: number): Cached {
    let [low, high] = [0, cached.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((cached[middle] as Cached).firstPosition <= position) low = middle;
      else high = middle - 1;
    }
    return cached[low] as Cached;
  }

  function ofTrace(traceId: TraceId): readonly LeanDocument[] {
    const found: LeanDocument[] = [];
    const id = idBytes(traceId);
    let position = lastPositions.get(traceHash(id, 0)) ?? NONE;
    while (position >= firstPosition()) {
      const { batch, firstPosition: first, previous } = batchAt(position);
      const { records } = batch;
      const index = position - first;
      const document = objectAt(batch, index);
      const isFound = document === undefined ? isOfTrace(records.heads, index, id, 0) : document.traceId === traceId;
      if (isFound && seqIn(batch, index) > afterSeq) found.push(document ?? leanRecordAt(records, index, traceId));
      position = previous[index] as number;
    }
    return found;
  }

  /** Batches that may have documents in the range. */
  function* batchesBetween(fromSeq: number, toSeq: number): Generator<Cached> {
    for (const one of cached) if (one.batch.lastSeq > fromSeq && one.batch.firstSeq <= toSeq) yield one;
  }

  function seqsBetween(fromSeq: number, toSeq: number): Float64Array {
    const after = Math.max(fromSeq, afterSeq);
    const seqs: number[] = [];
    for (const { batch, previous } of batchesBetween(after, toSeq)) {
      for (let index = 0; index < previous.length; index++) {
        const seq = seqIn(batch, index);
        if (seq > after && seq <= toSeq) seqs.push(seq);
      }
    }
    return Float64Array.from(seqs).sort();
  }

  function tracesBetween(fromSeq: number, toSeq: number): readonly TraceId[] {
    const after = Math.max(fromSeq, afterSeq);
    const isBetween = (seq: number) => seq > after && seq <= toSeq;
    /** Most documents follow another one of their trace. Then no text of the id is necessary. */
    const isKnown = (heads: LeanHeads, index: number, before: number) => {
      if (before < firstPosition()) return false;
      const { batch, firstPosition: first } = batchAt(before);
      const others = batch.records.heads;
      const other = before - first;
      return other < headCount(others) && isSameTrace(heads, index, others, other) && isBetween(seqAt(others, other));
    };
    const ids = new Set<TraceId>();
    for (const { batch, previous } of batchesBetween(after, toSeq)) {
      const { heads } = batch.records;
      for (let index = 0; index < headCount(heads); index++) {
        if (isBetween(seqAt(heads, index)) && !isKnown(heads, index, previous[index] as number))
          ids.add(traceIdAt(heads, index));
      }
      for (const { seq, traceId } of batch.documents) if (isBetween(seq)) ids.add(traceId);
    }
    return [...ids];
  }

  return {
    get afterSeq() {
      return afterSeq;
    },
    ofTrace,
    seqsBetween,
    tracesBetween,
    evict,
    rolledUp,
    add(batches) {
      for (const batch of batches) if (batch.lastSeq > afterSeq) cache(batch);
      // Evict half of the documents, so that eviction does not run for each block.
      if (cachedBytes > maxBytes) evict(lastSeqOf(cached.slice(0, cached.length / 2 + 1).map(({ batch }) => batch)));
    },
    invalidate(batches) {
      evict(lastSeqOf(batches));
    },
  };
}

const idBytes = (traceId: TraceId): Buffer => Buffer.from(traceId, 'hex');

/** Undefined for a record. */
function objectAt({ records, documents }: LeanBatch, index: number): LeanDocument | undefined {
  const at = index - recordCount(records);
  return at < 0 ? undefined : documents[at];
}

const seqIn = (batch: LeanBatch, index: number): number =>
  objectAt(batch, index)?.seq ?? seqAt(batch.records.heads, index);

const lastSeqOf = (batches: readonly LeanBatch[]): number =>
  batches.reduce((last, { lastSeq }) => Math.max(last, lastSeq), 0);
