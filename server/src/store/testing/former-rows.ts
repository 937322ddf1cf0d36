import { type Document, storedFormatOf } from '../../model/entity.ts';
import { createRowBuffer, type RowBuffer, writeBytes, writeLength, writeString, writtenBytes } from '../row-binary.ts';
import { DOCUMENT_COLUMNS, writeDocument } from '../write/rows.ts';

const { shared: _shared, name: _name, kind: _kind, ...columns } = DOCUMENT_COLUMNS;

/** Columns of `documents` before spans were packed, in the order `writeFormerDocument` writes them. */
export const FORMER_DOCUMENT_COLUMNS = columns;

/** Bytes of a row in front of its format, and of its times. */
const FORMAT_AT = 36;
const TIMES_BYTES = 17;

/** The row of a document as servers wrote it before spans were packed: with its whole text. */
export function writeFormerDocument(target: RowBuffer, document: Document): void {
  const row = createRowBuffer();
  writeDocument(row, document);
  const bytes = writtenBytes(row);
  const timesAt = FORMAT_AT + 1 + (bytes[FORMAT_AT] as number);
  writeBytes(target, bytes.subarray(0, FORMAT_AT));
  writeString(target, storedFormatOf(document));
  writeBytes(target, bytes.subarray(timesAt, timesAt + TIMES_BYTES));
  const text = Buffer.from(document.text, storedFormatOf(document) === 'otlp-protobuf' ? 'latin1' : 'utf8');
  writeLength(target, text.length);
  writeBytes(target, text);
}
