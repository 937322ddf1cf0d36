import type { Document, DocumentFormat } from './entity.ts';
import { readStoredLog, readStoredSpan } from './otlp/documents/stored-spans.ts';
import { parseDocument } from './parse-document.ts';

const NO_LIMITS = { maxBytes: Number.POSITIVE_INFINITY, maxDepth: Number.POSITIVE_INFINITY };

/** Parses a stored document. No limits apply: it was accepted before. */
export function parseStored(format: DocumentFormat, body: string, seq: number): readonly Document[] {
  switch (format) {
    case 'xray':
      return parseDocument(body, seq, NO_LIMITS).flatMap((parsed) => (parsed.ok ? [parsed.document] : []));
    case 'otlp':
      return [readStoredSpan(body, seq)];
    case 'otlp-log':
      return [readStoredLog(body, seq)];
  }
}
