import { type LeanDocument, leanDocument } from '../model/lean-document.ts';
import { type DocumentLimits, parseDocument, type Rejection, type RejectionCode } from '../model/parse-document.ts';
import type { Receiver } from '../stats.ts';
import { leanBatch } from '../store/lean-batch.ts';
import { clearLeanSegments, copyLeanSegments, newLeanSegmentBuffer } from '../store/lean-segments.ts';
import { emptied, newRowBuffers } from '../store/write/block.ts';
import { writeDocument, writeEntities } from '../store/write/rows.ts';
import { acceptEncoded, type IngestContext } from './accept.ts';
import { writeCommonSegment } from './segment-rows.ts';

export type SegmentContext = IngestContext & { readonly nextSeq: () => number; readonly limits: DocumentLimits };

export type AcceptedSegments = {
  /** Resolves once the valid documents are acknowledged, rejects as `accept` does. */
  readonly stored: Promise<void>;
  readonly rejections: readonly Rejection[];
};

let rows = newRowBuffers();
const leanSegments = newLeanSegmentBuffer();

/** Stores the texts of X-Ray's senders: see `parseDocument`. An invalid document is rejected and the others are stored. */
export function acceptSegments(
  texts: readonly string[],
  receiver: Receiver,
  context: SegmentContext,
): AcceptedSegments {
  const { nextSeq, limits, store } = context;
  rows = emptied(rows);
  clearLeanSegments(leanSegments);
  const { entities, documents, texts: sharedTexts } = rows;
  const leanDocuments: LeanDocument[] = [];
  const rejections: Rejection[] = [];
  for (const text of texts) {
    const source = { seq: nextSeq(), server: store.serverNumber, maxBytes: limits.maxBytes };
    if (writeCommonSegment(text, source, rows, leanSegments)) continue;
    for (const result of parseDocument(text, source.seq, limits)) {
      if (!result.ok) {
        rejections.push(result);
        continue;
      }
      writeEntities(entities, result.document, sharedTexts);
      writeDocument(documents, result.document, source.server);
      leanDocuments.push(leanDocument(result.document));
    }
  }
  const encoded = { entities, documents, lean: leanBatch(leanDocuments, copyLeanSegments(leanSegments)) };
  return { stored: acceptEncoded(encoded, countsOf(rejections), receiver, context), rejections };
}

function countsOf(rejections: readonly Rejection[]): ReadonlyMap<RejectionCode, number> {
  const counts = new Map<RejectionCode, number>();
  for (const { code } of rejections) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
