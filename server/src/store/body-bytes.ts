import { storedFormatOf } from '../model/entity.ts';
import type { CountedDocument } from '../model/lean-document.ts';
import { type Sql, sql } from './sql.ts';

/** Length of the text of a document, in bytes. */
export function bodyBytesOf(document: CountedDocument): number {
  if ('bodyBytes' in document) return document.bodyBytes;
  const { text } = document;
  return storedFormatOf(document) === 'otlp-protobuf' ? text.length : Buffer.byteLength(text);
}

/** The same of a packed span, from the lengths of its columns; `fields` is that of shape and body. See BODY_BYTES. */
export function packedTextBytes({
  fields,
  shared,
  name,
}: Readonly<Record<'fields' | 'shared' | 'name', number>>): number {
  return fields + shared + 2 * name + (fields + name < 82 ? 52 : 53);
}

/**
 * The same of a row of `documents`. The engine stores the lengths of texts apart, so that it reads no body. A packed
 * span lacks 51 bytes beside its name, which its text has twice, and its length, see model/otlp/wire/packed-span.ts. The
 * shape and the body are as long as what they were split from.
 */
export const BODY_BYTES: Sql = sql`(length(documents.body) + length(shape) + if(documents.format = 'otlp-packed',
  length(shared) + 2 * length(documents.name)
    + if(length(documents.body) + length(shape) + length(documents.name) < 82, 52, 53), 0))`;
