import type { StoredFormat } from '../model/entity.ts';
import { unpackSpan } from '../model/otlp/wire/packed-span.ts';
import type { TraceId } from '../model/trace-id.ts';
import { packedTextBytes } from './body-bytes.ts';
import { type Sql, sql } from './sql.ts';

/** A row of `documents`, as DOCUMENT_ROW selects it. */
export type DocumentRow = {
  readonly trace_id: TraceId;
  readonly document_id: string;
  readonly seq: number;
  readonly format: StoredFormat | 'otlp-packed';
  readonly start_us: number;
  readonly end_us: number;
  /** Bytes are in base64: results are JSON. */
  readonly body_base64: string;
  /** Of a packed span, else empty. */
  readonly shared_base64: string;
  readonly name: string;
  readonly kind: number;
  readonly shape_base64: string;
};

/**
 * Dictionaries are left in the engine: it counts all of their texts into the size of a result. A body of any format is
 * in base64: a condition on the format takes the engine 1 ms, a fifth of a read of one trace.
 */
const rowSql = (bodyBase64: Sql): Sql => sql`lower(hex(trace_id)) AS trace_id, lower(hex(id)) AS document_id, seq,
  toString(documents.format) AS format, start_us, end_us, ${bodyBase64} AS body_base64,
  base64Encode(toString(shared)) AS shared_base64, toString(documents.name) AS name, kind,
  base64Encode(toString(shape)) AS shape_base64`;

const BODY_BASE64 = sql`base64Encode(documents.body)`;

export const DOCUMENT_ROW: Sql = rowSql(BODY_BASE64);

/** The same, but a row with a body of more than `maxBytes` has none. */
export const shortDocumentRow = (maxBytes: number): Sql =>
  rowSql(sql`if(length(documents.body) > ${maxBytes}, '', ${BODY_BASE64})`);

/** BODY_BYTES of a row with its body. In SQL they take longer than all other columns of the row. */
export function bodyBytesOfRow({ format, body_base64, shape_base64, shared_base64, name }: DocumentRow): number {
  const bytes = base64Bytes(body_base64);
  if (format !== 'otlp-packed') return bytes;
  const fields = bytes + base64Bytes(shape_base64);
  return packedTextBytes({ fields, shared: base64Bytes(shared_base64), name: Buffer.byteLength(name) });
}

/** The `text` of the document. */
export function storedTextOf(row: DocumentRow): { readonly format: StoredFormat; readonly text: string } {
  const { format, body_base64 } = row;
  switch (format) {
    case 'otlp-packed':
      return { format: 'otlp-protobuf', text: unpackedText(row) };
    case 'otlp-protobuf':
      return { format, text: latin1OfBase64(body_base64) };
    default:
      return { format, text: Buffer.from(body_base64, 'base64').toString() };
  }
}

function unpackedText(row: DocumentRow): string {
  return unpackSpan({
    traceId: row.trace_id,
    id: row.document_id,
    startUs: row.start_us,
    endUs: row.end_us,
    shared: latin1OfBase64(row.shared_base64),
    name: row.name,
    kind: row.kind,
    shape: latin1OfBase64(row.shape_base64),
    body: latin1OfBase64(row.body_base64),
  });
}

const latin1OfBase64 = (text: string): string => Buffer.from(text, 'base64').toString('latin1');

/** Length in bytes: four characters have three, less one for each `=` at the end. */
const base64Bytes = (text: string): number =>
  (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
