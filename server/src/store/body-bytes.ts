import { type Document, storedFormatOf } from '../model/entity.ts';

/** Length of the column `body` of a document, in bytes. */
export function bodyBytesOf(document: Document): number {
  const { text } = document;
  return storedFormatOf(document) === 'otlp-protobuf' ? text.length : Buffer.byteLength(text);
}
