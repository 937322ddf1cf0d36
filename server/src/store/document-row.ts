import type { StoredFormat } from '../model/entity.ts';
import { unpackSpan } from '../model/otlp/wire/packed-span.ts';
import type { TraceId } from '../model/trace-id.ts';
import { BODY_BYTES } from './body-bytes.ts';
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
  readonly body: string;
  /** Of a packed span, else empty. */
  readonly shared_base64: string;
  readonly name: string;
  readonly kind: number;
};

const BODY_TEXT = sql`if(documents.format IN ('otlp-protobuf', 'otlp-packed'), base64Encode(documents.body), documents.body)`;

/** Dictionaries are left in the engine: it counts all of their texts into the size of a result. */
const rowSql = (body: Sql): Sql => sql`lower(hex(trace_id)) AS trace_id, lower(hex(id)) AS document_id, seq,
  toString(documents.format) AS format, start_us, end_us, ${body} AS body,
  base64Encode(toString(shared)) AS shared_base64, toString(documents.name) AS name, kind`;

export const DOCUMENT_ROW: Sql = rowSql(BODY_TEXT);

/** The same with the length of the text in bytes. A text of more than `maxBytes` has no body; every other has one. */
export type ShortDocumentRow = DocumentRow & { readonly text_bytes: number };

export function shortDocumentRow(maxBytes: number): Sql {
  return sql`${rowSql(sql`if(${BODY_BYTES} > ${maxBytes}, '', ${BODY_TEXT})`)}, ${BODY_BYTES} AS text_bytes`;
}

/** The `text` of the document. */
export function storedTextOf(row: DocumentRow): { readonly format: StoredFormat; readonly text: string } {
  const { format, body } = row;
  switch (format) {
    case 'otlp-packed':
      return { format: 'otlp-protobuf', text: unpackedText(row) };
    case 'otlp-protobuf':
      return { format, text: latin1OfBase64(body) };
    default:
      return { format, text: body };
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
    body: latin1OfBase64(row.body),
  });
}

const latin1OfBase64 = (text: string): string => Buffer.from(text, 'base64').toString('latin1');
