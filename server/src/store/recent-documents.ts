import type { Document } from '../model/entity.ts';
import { documentsOf, type LeanDocument } from '../model/lean-document.ts';
import type { TraceId } from '../model/trace-id.ts';

/**
 * What has been stored last, as far as the map needs it: whoever counts it soon does not have to read it from the store.
 * Every document that the store has with a `seq` after `afterSeq` is here, so that the two together are all.
 */
export type RecentDocuments = {
  /** Infinity where other servers store documents, too: then none are here. */
  readonly afterSeq: number;
  /** Those of a trace after `afterSeq`, in no order. */
  ofTrace(traceId: TraceId): readonly Document[];
  /** Documents up to this one are read from the store from now on. */
  evict(seq: number): void;
};

export type RecentDocumentsCache = RecentDocuments & {
  /** Called in the moment in which these are stored, with all that are. */
  add(documents: readonly LeanDocument[]): void;
  /** Nobody knows which of these are stored: they are read from the store. */
  invalidate(documents: readonly LeanDocument[]): void;
};

/** Of a shared store nobody here knows all documents. */
export const NO_RECENT_DOCUMENTS: RecentDocumentsCache = {
  afterSeq: Number.POSITIVE_INFINITY,
  ofTrace: () => [],
  evict: () => undefined,
  add: () => undefined,
  invalidate: () => undefined,
};

/** Holds as many of the last documents as have `maxBytes` of text, those after `lastSeq` of what is stored. */
export function newRecentDocuments(lastSeq: number, maxBytes: number): RecentDocumentsCache {
  const byTrace = new Map<TraceId, LeanDocument[]>();
  /** In the order of being stored, which is nearly that of `seq`. */
  let held: LeanDocument[] = [];
  let heldBytes = 0;
  let afterSeq = lastSeq;

  function forget(seq: number): void {
    if (seq <= afterSeq) return;
    afterSeq = seq;
    const kept = held.filter((document) => document.seq > seq);
    for (const { traceId } of held) byTrace.delete(traceId);
    held = [];
    heldBytes = 0;
    hold(kept);
  }

  function hold(documents: readonly LeanDocument[]): void {
    for (const document of documents) {
      if (document.seq <= afterSeq) continue;
      const ofTrace = byTrace.get(document.traceId);
      if (ofTrace === undefined) byTrace.set(document.traceId, [document]);
      else ofTrace.push(document);
      held.push(document);
      heldBytes += document.text.length;
    }
  }

  return {
    get afterSeq() {
      return afterSeq;
    },
    ofTrace: (traceId) => byTrace.get(traceId)?.flatMap(documentsOf) ?? [],
    evict: forget,
    add(documents) {
      hold(documents);
      // Too many for whoever counts them: half of them go, so that this is not done for each block.
      if (heldBytes > maxBytes) forget(lastSeqOf(held.slice(0, held.length / 2 + 1)));
    },
    invalidate(documents) {
      forget(lastSeqOf(documents));
    },
  };
}

function lastSeqOf(documents: readonly LeanDocument[]): number {
  return documents.reduce((last, { seq }) => Math.max(last, seq), 0);
}
