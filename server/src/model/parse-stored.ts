import type { Document, DocumentFormat } from './entity.ts';
import { readStoredLog, readStoredSpan } from './otlp/to-xray/stored-spans.ts';
import { parseDocument } from './parse-document.ts';

const NO_LIMITS = { maxBytes: Number.POSITIVE_INFINITY, maxDepth: Number.POSITIVE_INFINITY };

/** A document as it was stored. It has been accepted once, so no limit is applied a second time. */
export function parseStored(format: DocumentFormat, body: string, seq: number): readonly Document[] {
  switch (format) {
    case 'xray':
      return parseDocument(body, seq, NO_LIMITS).flatMap((outcome) => (outcome.ok ? [outcome.document] : []));
    case 'otlp':
      return [readStoredSpan(body, seq)];
    case 'otlp-log':
      return [readStoredLog(body, seq)];
  }
}
