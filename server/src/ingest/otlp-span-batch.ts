import type { Document } from '../model/entity.ts';
import { type LeanDocument, leanDocument } from '../model/lean-document.ts';
import type { EncodedDocuments } from '../store/encoded-documents.ts';
import { leanBatch } from '../store/lean-batch.ts';
import { clearLeanSpans, copyLeanSpans, newLeanSpanBuffer, numberLeanSpan } from '../store/lean-spans.ts';
import { createRowBuffer, replaceUInt64 } from '../store/row-binary.ts';
import { ENTITY_SEQ_AT, SEQ_AT, writeDocument, writeEntities } from '../store/write/rows.ts';
import { evictTexts, newSharedTexts } from '../store/write/shared-texts.ts';
import type { SpanRows } from './otlp-span-rows.ts';

/** A span that took the way over objects, once it has its number of arrival. */
export type SpanObject = (seq: number) => Document;

/**
 * Spans of a request that are stored together. They get their numbers of arrival as they are stored: the roll-up takes
 * every number below that of a stored document for stored.
 */
export type SpanBatch = SpanRows & {
  /** In the order of the request: how many rows of `entities` a span has, or its object. */
  readonly spans: (number | SpanObject)[];
};

/** Batches that are not in use: their buffers are large. */
const spares: SpanBatch[] = [];
const MAX_SPARES = 4;
/** A batch of large spans is not kept. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

export function newSpanBatch(): SpanBatch {
  const spare = spares.pop();
  if (spare !== undefined) return spare;
  const [entities, documents] = [createRowBuffer(), createRowBuffer()];
  return {
    entities,
    documents,
    entityStarts: [],
    documentStarts: [],
    leanSpans: newLeanSpanBuffer(),
    spans: [],
    texts: newSharedTexts(),
  };
}

/** Call it once the store has copied the rows. */
export function recycle(batch: SpanBatch): void {
  const { entities, documents, entityStarts, documentStarts, leanSpans, spans } = batch;
  if (spares.length === MAX_SPARES || entities.bytes.length + documents.bytes.length > MAX_SPARE_BYTES) return;
  for (const list of [entities, documents, entityStarts, documentStarts, spans]) list.length = 0;
  clearLeanSpans(leanSpans);
  evictTexts(batch.texts);
  spares.push(batch);
}

/**
 * Gives each span its number and returns what is stored. Call it once. `nextSeq` returns the first of as many numbers as
 * it is asked for, which are all on one day: rows of a trace that share attributes may not be on two (see
 * store/write/shared-texts.ts).
 */
export function numberSpans(batch: SpanBatch, nextSeq: (count: number) => number, server: number): EncodedDocuments {
  const { entities, documents, texts } = batch;
  const leanDocuments: LeanDocument[] = [];
  let row = 0;
  let entityRow = 0;
  let seq = nextSeq(batch.spans.length);
  for (const span of batch.spans) {
    if (typeof span === 'number') {
      for (let last = entityRow + span; entityRow < last; entityRow++) {
        replaceUInt64(entities, (batch.entityStarts[entityRow] as number) + ENTITY_SEQ_AT, seq);
      }
      replaceUInt64(documents, (batch.documentStarts[row] as number) + SEQ_AT, seq);
      numberLeanSpan(batch.leanSpans, row, seq);
      row++;
    } else {
      const document = span(seq);
      writeEntities(entities, document, texts);
      writeDocument(documents, document, server);
      leanDocuments.push(leanDocument(document));
    }
    seq++;
  }
  return { entities, documents, lean: leanBatch(leanDocuments, copyLeanSpans(batch.leanSpans)) };
}
