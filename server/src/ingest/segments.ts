import type { LeanDocument } from '../model/lean-document.ts';
import { leanDocument } from '../model/lean-document.ts';
import { type DocumentLimits, parseDocument, type Rejection, type RejectionCode } from '../model/parse-document.ts';
import type { Receiver } from '../stats.ts';
import { leanBatch } from '../store/lean-batch.ts';
import { createRowBuffer } from '../store/row-binary.ts';
import { writeDocument, writeEntities } from '../store/write/rows.ts';
import { evictTexts, newSharedTexts } from '../store/write/shared-texts.ts';
import { acceptEncoded, type IngestContext } from './accept.ts';
import { type SegmentRows, writeCommonSegment } from './segment-rows.ts';

export type SegmentContext = IngestContext & { readonly nextSeq: () => number; readonly limits: DocumentLimits };

export type AcceptedSegments = {
  /** Resolves once the valid documents are acknowledged, rejects as `accept` does. */
  readonly stored: Promise<void>;
  readonly rejections: readonly Rejection[];
};

/** Larger buffers are not kept for the next call. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
let rows = newRows();

function newRows(): SegmentRows {
  return { entities: createRowBuffer(), documents: createRowBuffer(), texts: newSharedTexts() };
}

/** Stores the texts of X-Ray's senders: see `parseDocument`. An invalid document is rejected and the others are stored. */
export function acceptSegments(
  texts: readonly string[],
  receiver: Receiver,
  context: SegmentContext,
): AcceptedSegments {
  const { nextSeq, limits, store } = context;
  if (rows.entities.bytes.length + rows.documents.bytes.length > MAX_KEPT_BYTES) rows = newRows();
  const { entities, documents, texts: sharedTexts } = rows;
  entities.length = 0;
  documents.length = 0;
  evictTexts(sharedTexts);
  const leanDocuments: LeanDocument[] = [];
  const rejections: Rejection[] = [];
  for (const text of texts) {
    const source = { seq: nextSeq(), server: store.serverNumber, maxBytes: limits.maxBytes };
    const lean = writeCommonSegment(text, source, rows);
    if (lean !== undefined) {
      leanDocuments.push(lean);
      continue;
    }
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
  const encoded = { entities, documents, lean: leanBatch(leanDocuments) };
  return { stored: acceptEncoded(encoded, countsOf(rejections), receiver, context), rejections };
}

function countsOf(rejections: readonly Rejection[]): ReadonlyMap<RejectionCode, number> {
  const counts = new Map<RejectionCode, number>();
  for (const { code } of rejections) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
