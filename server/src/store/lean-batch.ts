import type { LeanDocument } from '../model/lean-document.ts';
import type { TraceId } from '../model/trace-id.ts';
import { headCount, isSameTrace, seqAt, traceIdAt } from './lean-heads.ts';
import { type LeanSegments, leanSegmentAt } from './lean-segments.ts';
import { LEAN_SPAN_BYTES, type LeanSpans, leanSpanAt, NO_LEAN_SPANS } from './lean-spans.ts';

/** Common documents without objects. */
export type LeanRecords = LeanSpans | LeanSegments;

/** Lean copies of documents that are stored together. */
export type LeanBatch = {
  /** In the order of `seq`. */
  readonly records: LeanRecords;
  /** All other documents. */
  readonly documents: readonly LeanDocument[];
  readonly firstSeq: number;
  readonly lastSeq: number;
};

export function leanBatch(documents: readonly LeanDocument[], records: LeanRecords = NO_LEAN_SPANS): LeanBatch {
  let firstSeq = Number.POSITIVE_INFINITY;
  let lastSeq = 0;
  const add = (seq: number) => {
    firstSeq = Math.min(firstSeq, seq);
    lastSeq = Math.max(lastSeq, seq);
  };
  for (const { seq } of documents) add(seq);
  const count = recordCount(records);
  if (count > 0) {
    add(seqAt(records.heads, 0));
    add(seqAt(records.heads, count - 1));
  }
  return { records, documents, firstSeq, lastSeq };
}

export const recordCount = ({ heads }: LeanRecords): number => headCount(heads);

export const documentCount = ({ records, documents }: LeanBatch): number => recordCount(records) + documents.length;

/** The object of a record. */
export const leanRecordAt = (records: LeanRecords, index: number, traceId: TraceId): LeanDocument =>
  records.kind === 'spans' ? leanSpanAt(records, index, traceId) : leanSegmentAt(records, index, traceId);

/** Distinct. */
export function traceIdsOf({ records: { heads }, documents }: LeanBatch): readonly TraceId[] {
  const ids = new Set<TraceId>();
  const count = headCount(heads);
  for (let index = 0; index < count; index++) {
    // Documents of one trace often follow each other.
    if (index === 0 || !isSameTrace(heads, index, heads, index - 1)) ids.add(traceIdAt(heads, index));
  }
  for (const { traceId } of documents) ids.add(traceId);
  return [...ids];
}

/** Of memory. An estimate: an object of 22 members, ids and times. Other texts are mostly shared with other entities. */
const ENTITY_BYTES = 500;

/** Of memory. An estimate. */
export function memoryOf({ records, documents }: LeanBatch): number {
  let bytes = records.kind === 'spans' ? recordCount(records) * LEAN_SPAN_BYTES : records.memoryBytes;
  for (const document of documents) bytes += memoryOfObject(document);
  return bytes;
}

function memoryOfObject(document: LeanDocument): number {
  switch (document.format) {
    case 'lean-span':
      return document.entities.length * ENTITY_BYTES;
    case 'lean-segment':
      return document.entities.length * ENTITY_BYTES + document.bodyBytes;
    default:
      return document.text.length;
  }
}
