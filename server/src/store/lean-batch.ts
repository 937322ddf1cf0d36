import type { LeanDocument } from '../model/lean-document.ts';
import type { TraceId } from '../model/trace-id.ts';
import { isSameTrace, type LeanSpans, leanSeqAt, leanTraceIdAt, NO_LEAN_SPANS, spanCount } from './lean-spans.ts';

/** Lean copies of documents that are stored together. */
export type LeanBatch = {
  /** Common spans, in the order of `seq`. */
  readonly spans: LeanSpans;
  /** All other documents. */
  readonly documents: readonly LeanDocument[];
  readonly firstSeq: number;
  readonly lastSeq: number;
};

export function leanBatch(documents: readonly LeanDocument[], spans: LeanSpans = NO_LEAN_SPANS): LeanBatch {
  let firstSeq = Number.POSITIVE_INFINITY;
  let lastSeq = 0;
  const add = (seq: number) => {
    firstSeq = Math.min(firstSeq, seq);
    lastSeq = Math.max(lastSeq, seq);
  };
  for (const { seq } of documents) add(seq);
  const count = spanCount(spans);
  if (count > 0) {
    add(leanSeqAt(spans, 0));
    add(leanSeqAt(spans, count - 1));
  }
  return { spans, documents, firstSeq, lastSeq };
}

export const documentCount = ({ spans, documents }: LeanBatch): number => spanCount(spans) + documents.length;

/** Distinct. */
export function traceIdsOf({ spans, documents }: LeanBatch): readonly TraceId[] {
  const ids = new Set<TraceId>();
  const count = spanCount(spans);
  for (let index = 0; index < count; index++) {
    // Spans of one trace often follow each other.
    if (index === 0 || !isSameTrace(spans, index, spans, index - 1)) ids.add(leanTraceIdAt(spans, index));
  }
  for (const { traceId } of documents) ids.add(traceId);
  return [...ids];
}
