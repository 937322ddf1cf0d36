import type { Document, DocumentFormat, StoredFormat } from './entity.ts';
import { readJsonSpan, readStoredLog, readStoredSpan, spanJson } from './otlp/documents/stored-spans.ts';
import { parseDocument } from './parse-document.ts';

const NO_LIMITS = { maxBytes: Number.POSITIVE_INFINITY, maxDepth: Number.POSITIVE_INFINITY };

/** Parses the `text` of a stored document. No limits apply: it was accepted before. */
export function parseStored(format: StoredFormat, text: string, seq: number): readonly Document[] {
  switch (format) {
    case 'xray':
      return parseDocument(text, seq, NO_LIMITS).flatMap((parsed) => (parsed.ok ? [parsed.document] : []));
    case 'otlp-protobuf':
      return [readStoredSpan(text, seq)];
    case 'otlp':
      return [readJsonSpan(text, seq)];
    case 'otlp-log':
      return [readStoredLog(text, seq)];
  }
}

/** A stored document in JSON: a span that is stored as bytes becomes one of the format `otlp`. */
export function asJson(format: StoredFormat, text: string): { readonly format: DocumentFormat; readonly text: string } {
  if (format !== 'otlp-protobuf') return { format, text };
  return { format: 'otlp', text: spanJson(readStoredSpan(text, 0)) };
}
