import type { StoredFormat } from '../model/entity.ts';
import { unpackSpan } from '../model/otlp/wire/packed-span.ts';
import type { TraceId } from '../model/trace-id.ts';
import { packedTextBytes } from './body-bytes.ts';
import { readString, readUInt64 } from './row-binary.ts';
import { type Sql, sql } from './sql.ts';

/** A row of `documents`. `body`, `shared` and `shape` are bytes: each is one Latin-1 character. */
export type DocumentRow = {
  readonly traceId: TraceId;
  readonly id: string;
  readonly seq: number;
  readonly format: StoredFormat | 'otlp-packed';
  readonly startUs: number;
  readonly endUs: number;
  readonly body: string;
  /** Of a packed span, else empty. */
  readonly shared: string;
  readonly name: string;
  readonly kind: number;
  readonly shape: string;
};

/** What DOCUMENT_ROW selects: the columns in RowBinary, in base64 because results are JSON. */
export type EncodedDocumentRow = { readonly row: string };

/**
 * One function for all columns: with one or two for each, the engine takes a fifth more time for the documents of a
 * trace, most of it before it reads them. Dictionaries are left in the engine, which counts all of their texts into the
 * size of a result.
 */
const rowSql = (body: Sql): Sql => sql`base64Encode(formatRow('RowBinary',
  trace_id, id, seq, format, start_us, end_us, ${body}, shared, name, kind, shape)) AS row`;

export const DOCUMENT_ROW: Sql = rowSql(sql`documents.body`);

/** The same, but a row with a body of more than `maxBytes` has none. */
export const shortDocumentRow = (maxBytes: number): Sql =>
  rowSql(sql`if(length(documents.body) > ${maxBytes}, '', documents.body)`);

/** Bytes of a row before its format: ids and `seq`. */
const FORMAT_AT = 16 + 8 + 8;

export function readDocumentRow({ row }: EncodedDocumentRow): DocumentRow {
  const bytes = Buffer.from(row, 'base64');
  const { text: format, end: startAt } = readString(bytes, FORMAT_AT);
  const body = readString(bytes, startAt + 16, 'latin1');
  const shared = readString(bytes, body.end, 'latin1');
  const name = readString(bytes, shared.end);
  return {
    traceId: bytes.toString('hex', 0, 16) as TraceId,
    id: bytes.toString('hex', 16, 24),
    seq: readUInt64(bytes, 24),
    format: format as DocumentRow['format'],
    startUs: readUInt64(bytes, startAt),
    endUs: readUInt64(bytes, startAt + 8),
    body: body.text,
    shared: shared.text,
    name: name.text,
    kind: bytes.readUInt8(name.end),
    shape: readString(bytes, name.end + 1, 'latin1').text,
  };
}

/** BODY_BYTES of a row with its body. In SQL they take longer than all other columns of the row. */
export function bodyBytesOfRow({ format, body, shape, shared, name }: DocumentRow): number {
  if (format !== 'otlp-packed') return body.length;
  const fields = body.length + shape.length;
  return packedTextBytes({ fields, shared: shared.length, name: Buffer.byteLength(name) });
}

/** The `text` of the document. */
export function storedTextOf(row: DocumentRow): { readonly format: StoredFormat; readonly text: string } {
  const { format, body } = row;
  switch (format) {
    case 'otlp-packed':
      return { format: 'otlp-protobuf', text: unpackSpan(row) };
    case 'otlp-protobuf':
      return { format, text: body };
    default:
      return { format, text: Buffer.from(body, 'latin1').toString() };
  }
}
