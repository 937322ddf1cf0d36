import { type Document, storedFormatOf } from '../../model/entity.ts';
import { joinFields } from '../../model/otlp/wire/attribute-shape.ts';
import { NANOS_BYTES } from '../../model/otlp/wire/packed-span.ts';
import {
  createRowBuffer,
  type RowBuffer,
  readString,
  writeBytes,
  writeLength,
  writeString,
  writtenBytes,
} from '../row-binary.ts';
import { DOCUMENT_COLUMNS, writeDocument } from '../write/rows.ts';

const { shape: _shape, ...unsplit } = DOCUMENT_COLUMNS;
const { shared: _shared, name: _name, kind: _kind, ...unpacked } = unsplit;

/** Columns of `documents` before attributes had a shape, in the order `writeUnsplitDocument` writes them. */
export const UNSPLIT_COLUMNS = unsplit;
/** Columns of `documents` before spans were packed, in the order `writeUnpackedDocument` writes them. */
export const UNPACKED_COLUMNS = unpacked;

/** Bytes of a row in front of its format, and of its times. */
const FORMAT_AT = 36;
const TIMES_BYTES = 17;
function writtenRow(document: Document): Buffer {
  const row = createRowBuffer();
  writeDocument(row, document);
  return Buffer.from(writtenBytes(row));
}

/** The row of a document as servers wrote it before spans were packed: with its whole text. */
export function writeUnpackedDocument(target: RowBuffer, document: Document): void {
  const bytes = writtenRow(document);
  const timesAt = FORMAT_AT + 1 + (bytes[FORMAT_AT] as number);
  writeBytes(target, bytes.subarray(0, FORMAT_AT));
  writeString(target, storedFormatOf(document));
  writeBytes(target, bytes.subarray(timesAt, timesAt + TIMES_BYTES));
  const text = Buffer.from(document.text, storedFormatOf(document) === 'otlp-protobuf' ? 'latin1' : 'utf8');
  writeLength(target, text.length);
  writeBytes(target, text);
}

/** The row of a document as servers wrote it before attributes had a shape: all of them are in the body. */
export function writeUnsplitDocument(target: RowBuffer, document: Document): void {
  const bytes = writtenRow(document);
  const bodyAt = FORMAT_AT + 1 + (bytes[FORMAT_AT] as number) + TIMES_BYTES;
  const body = readString(bytes, bodyAt, 'latin1');
  const name = readString(bytes, readString(bytes, body.end, 'latin1').end);
  const shape = readString(bytes, name.end + 1, 'latin1');
  const values = Buffer.from(body.text, 'latin1');
  const whole =
    shape.text === ''
      ? values
      : Buffer.concat([values.subarray(0, NANOS_BYTES), joinFields(shape.text, values.subarray(NANOS_BYTES))]);
  writeBytes(target, bytes.subarray(0, bodyAt));
  writeLength(target, whole.length);
  writeBytes(target, whole);
  writeBytes(target, bytes.subarray(body.end, name.end + 1));
}
