import { storedFormatOf } from '../model/entity.ts';
import type { CountedDocument } from '../model/lean-document.ts';

/** Length of the column `body` of a document, in bytes. */
export function bodyBytesOf(document: CountedDocument): number {
  if (document.format === 'lean-span') return document.bodyBytes;
  const { text } = document;
  return storedFormatOf(document) === 'otlp-protobuf' ? text.length : Buffer.byteLength(text);
}
