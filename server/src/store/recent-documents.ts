import type { LeanDocument } from '../model/lean-document.ts';
import type { TraceId } from '../model/trace-id.ts';

/**
 * The documents that were stored last, as far as the service graph needs them. The roll-up worker uses them and need
 * not read them from the store. Every stored document with a `seq` after `afterSeq` is here.
 */
export type RecentDocuments = {
  /** Infinity on a shared store, where the cache is always empty. */
  readonly afterSeq: number;
  /** Documents of a trace after `afterSeq`, in no particular order. */
  ofTrace(traceId: TraceId): readonly LeanDocument[];
  /** In no particular order. */
  all(): Iterable<LeanDocument>;
  /** Removes all documents up to `seq`: they are read from the store from now on. */
  evict(seq: number): void;
};

export type RecentDocumentsCache = RecentDocuments & {
  /** Call with every block, as soon as it is stored. */
  add(documents: readonly LeanDocument[]): void;
  /** Some of these documents may be stored: they are read from the store. */
  invalidate(documents: readonly LeanDocument[]): void;
};

/** For a shared store: this process does not see the documents of other servers. */
export const NO_RECENT_DOCUMENTS: RecentDocumentsCache = {
  afterSeq: Number.POSITIVE_INFINITY,
  ofTrace: () => [],
  all: () => [],
  evict: () => undefined,
  add: () => undefined,
  invalidate: () => undefined,
};

/** Caches the newest documents after `lastSeq`, about `maxBytes` of memory. */
export function newRecentDocuments(lastSeq: number, maxBytes: number): RecentDocumentsCache {
  const byTrace = new Map<TraceId, LeanDocument[]>();
  /** In the order in which they were stored, which is nearly that of `seq`. */
  let cached: LeanDocument[] = [];
  let cachedBytes = 0;
  let afterSeq = lastSeq;

  function evict(seq: number): void {
    if (seq <= afterSeq) return;
    afterSeq = seq;
    const kept = cached.filter((document) => document.seq > seq);
    for (const { traceId } of cached) byTrace.delete(traceId);
    cached = [];
    cachedBytes = 0;
    cache(kept);
  }

  function cache(documents: readonly LeanDocument[]): void {
    for (const document of documents) {
      if (document.seq <= afterSeq) continue;
      const ofTrace = byTrace.get(document.traceId);
      if (ofTrace === undefined) byTrace.set(document.traceId, [document]);
      else ofTrace.push(document);
      cached.push(document);
      cachedBytes += memoryOf(document);
    }
  }

  return {
    get afterSeq() {
      return afterSeq;
    },
    ofTrace: (traceId) => byTrace.get(traceId) ?? [],
    all: () => cached,
    evict,
    add(documents) {
      cache(documents);
      // The roll-up worker is too slow. Evict half of the documents, so that eviction does not run for each block.
      if (cachedBytes > maxBytes) evict(lastSeqOf(cached.slice(0, cached.length / 2 + 1)));
    },
    invalidate(documents) {
      evict(lastSeqOf(documents));
    },
  };
}

function lastSeqOf(documents: readonly LeanDocument[]): number {
  return documents.reduce((last, { seq }) => Math.max(last, seq), 0);
}

/** Estimate: an object of 22 members, ids and times. Other texts are mostly shared with further entities. */
const ENTITY_BYTES = 500;

/** An estimate in bytes. */
function memoryOf(document: LeanDocument): number {
  const textBytes = document.format === 'lean-span' ? 0 : document.text.length;
  const entities = document.format === 'lean-span' || document.format === 'xray' ? document.entities.length : 0;
  return textBytes + entities * ENTITY_BYTES;
}
