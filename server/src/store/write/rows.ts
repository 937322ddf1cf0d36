import {
  type AnnotationValue,
  type Document,
  type Entity,
  type StoredFormat,
  storedFormatOf,
} from '../../model/entity.ts';
import { doubleOf, ExactNumber } from '../../model/exact-number.ts';
import { isJsonObject } from '../../model/json.ts';
import { unpackSpan } from '../../model/otlp/wire/packed-span.ts';
import { storedSpanPositions } from '../../model/otlp/wire/stored-span.ts';
import { attributeText, linksOf, MAX_TEXT_LENGTH, roundedKey, TRUNCATED_MARKER } from '../attributes.ts';
import type { Columns } from '../engine/engine.ts';
import {
  endOfString,
  type RowBuffer,
  readString,
  readUInt64,
  repeatBytes,
  writeBool,
  writeFloat64,
  writeHex,
  writeLength,
  writeList,
  writePair,
  writeString,
  writeUInt16,
  writeUInt32,
  writeUInt64,
} from '../row-binary.ts';
import { spanTextsOf } from '../span-texts.ts';
import { collectAttributes, writeCollected } from './attribute-strings.ts';
import { continueTexts, dropSharedTexts, newSharedTexts, type SharedTexts } from './shared-texts.ts';
import { NOT_PACKED, writeNotPacked, writeStoredSpan, writeTimes } from './span-row.ts';

/** Columns of `documents` in the order `writeDocument` writes them. */
export const DOCUMENT_COLUMNS: Columns = {
  trace_id: 'FixedString(16)',
  id: 'FixedString(8)',
  seq: 'UInt64',
  server: 'UInt32',
  format: 'LowCardinality(String)',
  in_progress: 'Bool',
  start_us: 'UInt64',
  end_us: 'UInt64',
  body: 'String',
  shared: 'LowCardinality(String)',
  name: 'LowCardinality(String)',
  kind: 'UInt8',
  shape: 'LowCardinality(String)',
};

/** Columns of `entities` in the order `writeEntities` writes them. */
export const ENTITY_COLUMNS: Columns = {
  trace_id: 'FixedString(16)',
  id: 'FixedString(8)',
  parent_id: 'FixedString(8)',
  enclosing_id: 'FixedString(8)',
  is_in_segment: 'Bool',
  seq: 'UInt64',
  is_segment: 'Bool',
  is_root: 'Bool',
  in_progress: 'Bool',
  start_us: 'UInt64',
  end_us: 'UInt64',
  name: 'LowCardinality(String)',
  origin: 'LowCardinality(String)',
  namespace: 'LowCardinality(String)',
  fault: 'Bool',
  error: 'Bool',
  throttle: 'Bool',
  http_status: 'UInt16',
  http_method: 'LowCardinality(String)',
  http_url: 'String',
  http_user_agent: 'String',
  http_client_ip: 'String',
  user: 'String',
  resource_arn: 'String',
  instance_id: 'String',
  availability_zone: 'String',
  account_id: 'String',
  annotations_string: 'Map(LowCardinality(String), LowCardinality(String))',
  annotations_number: 'Map(LowCardinality(String), Float64)',
  annotations_bool: 'Map(LowCardinality(String), Bool)',
  attributes: 'Array(LowCardinality(String))',
};

/**
 * The row of the document itself. `start_us` and `end_us` cover all of its entities, finished or not. `server` is the
 * number of the server that received it, 0 on a store with one server.
 */
export function writeDocument(target: RowBuffer, document: Document, server = 0): void {
  // A log record does not extend the trace: its time must not move the trace in lists.
  let startUs = document.format === 'otlp-log' ? Number.MAX_SAFE_INTEGER : Number.POSITIVE_INFINITY;
  let endUs = 0;
  for (const entity of document.entities) {
    startUs = Math.min(startUs, entity.startUs);
    endUs = Math.max(endUs, entity.endUs ?? 0);
  }
  const idsAt = target.length;
  writeHex(target, document.traceId, 16);
  writeHex(target, document.id, 8);
  writeUInt64(target, document.seq);
  writeUInt32(target, server);
  const isUnfinished = document.entities.length > 0 && document.entities[0]?.endUs === undefined;
  const times = { isUnfinished, startUs, endUs };
  if (storedFormatOf(document) === 'otlp-protobuf') {
    const bytes = Buffer.from(document.text, 'latin1');
    const { kind, shared, spanTag, span } = storedSpanPositions(document.text);
    const stored = {
      labels: bytes.subarray(0, shared),
      kindAt: kind,
      shared: bytes.subarray(shared, spanTag),
      bytes,
      start: span,
      end: bytes.length,
    };
    writeStoredSpan(target, idsAt, times, stored);
    return;
  }
  writeString(target, document.format);
  writeTimes(target, times);
  writeString(target, document.text);
  writeNotPacked(target);
}

/** A row that `writeDocument` wrote. `bytes` shares the memory of the rows. */
export type DocumentRow = {
  readonly seq: number;
  readonly format: StoredFormat;
  /** As `text` of a document. */
  readonly text: string;
  readonly bytes: Buffer;
};

/** Throws RangeError if the bytes are no rows of `documents`. */
export function readDocumentRows(rows: Buffer): readonly DocumentRow[] {
  const read: DocumentRow[] = [];
  for (let from = 0; from < rows.length; ) {
    const format = readString(rows, from + FORMAT_AT);
    const isPacked = format.text === 'otlp-packed';
    const isBytes = isPacked || format.text === 'otlp-protobuf';
    const body = readString(rows, format.end + BYTES_BEFORE_BODY, isBytes ? 'latin1' : 'utf8');
    const shared = readString(rows, body.end, 'latin1');
    const name = readString(rows, shared.end);
    const shape = readString(rows, name.end + 1, 'latin1');
    const { end } = shape;
    const seq = readUInt64(rows, from + SEQ_AT);
    const text = isPacked
      ? unpackSpan({
          traceId: rows.toString('hex', from, from + 16),
          id: rows.toString('hex', from + 16, from + SEQ_AT),
          startUs: readUInt64(rows, format.end + 1),
          endUs: readUInt64(rows, format.end + 9),
          shared: shared.text,
          name: name.text,
          kind: rows.readUInt8(name.end),
          shape: shape.text,
          body: body.text,
        })
      : body.text;
    const bytes = rows.subarray(from, end);
    read.push({ seq, format: isPacked ? 'otlp-protobuf' : (format.text as StoredFormat), text, bytes });
    from = end;
  }
  return read;
}

/** `seq` of the rows, in their order. Throws as `readDocumentRows` does. */
export function readSeqs(rows: Buffer): readonly number[] {
  const seqs: number[] = [];
  for (let from = 0; from < rows.length; ) {
    seqs.push(readUInt64(rows, from + SEQ_AT));
    const bodyAt = endOfString(rows, from + FORMAT_AT) + BYTES_BEFORE_BODY;
    const nameAt = endOfString(rows, endOfString(rows, bodyAt));
    const shapeAt = endOfString(rows, nameAt) + 1;
    from = endOfString(rows, shapeAt);
  }
  return seqs;
}

/** Rows of servers before a migration, which lack the columns that it added. Throws as `readDocumentRows` does. */
export function withLaterColumns(rows: Buffer, form: 'unpacked' | 'unsplit'): Buffer {
  const complete: Buffer[] = [];
  for (let from = 0; from < rows.length; ) {
    const format = readString(rows, from + FORMAT_AT, 'latin1');
    const body = readString(rows, format.end + BYTES_BEFORE_BODY, 'latin1');
    const end = form === 'unpacked' ? body.end : readString(rows, readString(rows, body.end).end).end + 1;
    complete.push(rows.subarray(from, end), form === 'unpacked' ? NOT_PACKED : NO_SHAPE);
    from = end;
  }
  return Buffer.concat(complete);
}

const NO_SHAPE = Buffer.alloc(1);

/** In bytes from the beginning of a row of `documents`: behind trace_id and id, and behind seq and server. */
export const SEQ_AT = 24;
/** The same for a row of `entities`: behind four ids and `is_in_segment`. */
export const ENTITY_SEQ_AT = 41;
const FORMAT_AT = 36;
/** in_progress, start_us and end_us. */
const BYTES_BEFORE_BODY = 17;

/**
 * A row for each entity of the document, and for each alternative entity of a span whose parent is not known yet. They
 * leave out the attributes in `texts`, which are those of documents that are stored together with this one.
 */
export function writeEntities(target: RowBuffer, document: Document, texts = newSharedTexts()): void {
  const { entities } = document;
  continueTexts(texts, document.seq);
  if (document.format !== 'otlp') {
    writeTree(target, document, entities, { indexed: entities, texts });
    return;
  }
  const alternatives = document.alternativeEntities();
  writeTree(target, document, entities, { indexed: [...entities, ...alternatives], texts });
  writeTree(target, document, alternatives, { indexed: NONE, texts });
}

/** The first row has the attributes of all entities in `indexed`. */
function writeTree(
  target: RowBuffer,
  document: Document,
  entities: readonly Entity[],
  { indexed, texts }: { readonly indexed: readonly Entity[]; readonly texts: SharedTexts },
): void {
  const isInSegment = entities[0]?.kind === 'segment';
  const start = target.length;
  for (let at = 0; at < entities.length; at++) {
    const entity = entities[at] as Entity;
    if (at === 0) writeHex(target, document.traceId, 16);
    else repeatBytes(target, start, 16);
    writeColumns(target, document, entity, isInSegment);
    if (at === 0 && indexed.length > 0) {
      const listAt = target.length;
      writeAttributes(target, document, entity, indexed);
      dropSharedTexts(texts, target, start, listAt);
    } else writeList(target, linksOf(entity), writeString);
  }
}

const NONE: readonly never[] = [];

/** All columns but the first and the last, `trace_id` and `attributes`. */
function writeColumns(target: RowBuffer, document: Document, entity: Entity, isInSegment: boolean): void {
  const { http } = entity;
  const ec2 = ec2Of(entity);
  const isTop = entity.id === document.id;
  writeHex(target, entity.id, 8);
  // Nested entities are in the document of their parent. Only the parent of the top entity may be missing.
  writeHex(target, isTop ? entity.parentId : undefined, 8);
  writeHex(target, isTop ? undefined : document.id, 8);
  writeBool(target, isInSegment);
  writeUInt64(target, document.seq);
  writeBool(target, entity.kind === 'segment');
  writeBool(target, entity.kind === 'segment' && entity.parentId === undefined);
  writeBool(target, entity.endUs === undefined);
  writeUInt64(target, entity.startUs);
  writeUInt64(target, entity.endUs ?? 0);
  writeString(target, entity.name);
  writeString(target, entity.origin ?? '');
  writeString(target, entity.namespace ?? '');
  writeBool(target, entity.isFault);
  writeBool(target, entity.isError);
  writeBool(target, entity.isThrottle);
  writeUInt16(target, http?.status ?? 0);
  writeString(target, http?.method ?? '');
  writeString(target, http?.url ?? '');
  writeString(target, http?.userAgent ?? '');
  writeString(target, http?.clientIp ?? '');
  writeString(target, entity.user ?? '');
  writeString(target, entity.resourceArn ?? '');
  writeString(target, ec2.instanceId);
  writeString(target, ec2.availabilityZone);
  writeString(target, entity.accountId ?? '');
  writeAnnotations(target, entity.annotations);
}

/** Three maps: string, number, bool. */
function writeAnnotations(target: RowBuffer, annotations: Annotations): void {
  let [strings, numbers, bools] = [0, 0, 0];
  for (const key in annotations) {
    const value = annotations[key];
    if (typeof value === 'string') strings++;
    else if (typeof value === 'number') numbers++;
    else if (typeof value === 'boolean') bools++;
    else {
      writeAnnotations(target, withNearestDoubles(annotations));
      return;
    }
  }
  writeMap(target, annotations, 'string', strings, writeString);
  writeMap(target, annotations, 'number', numbers, writeFloat64);
  writeMap(target, annotations, 'boolean', bools, writeBool);
}

/**
 * The column has doubles. A number that a double cannot hold is in it as the nearest one, and once more under a marked
 * key, so that a comparison with that double rules out no row.
 */
function withNearestDoubles(annotations: Annotations): Annotations {
  const marked = Object.entries(annotations).flatMap(([key, value]): (readonly [string, AnnotationValue])[] => {
    if (!(value instanceof ExactNumber)) return [[key, value]];
    const nearest = doubleOf(value);
    return [
      [key, nearest],
      [roundedKey(key), nearest],
    ];
  });
  return Object.fromEntries(marked);
}

type Annotations = Readonly<Record<string, AnnotationValue>>;

function writeMap<Value extends AnnotationValue>(
  target: RowBuffer,
  annotations: Annotations,
  type: 'string' | 'number' | 'boolean',
  count: number,
  writeValue: (target: RowBuffer, value: Value) => void,
): void {
  writeLength(target, count);
  if (count === 0) return;
  for (const key in annotations) {
    const value = annotations[key];
    if (typeof value !== type) continue;
    writeString(target, key);
    writeValue(target, value as Value);
  }
}

function writeAttributes(target: RowBuffer, document: Document, entity: Entity, indexed: readonly Entity[]): void {
  const { count, hasMore } = collectAttributes(indexed);
  const links = linksOf(entity);
  const spanTexts = spanTextsOf(document, indexed);
  writeLength(target, count + (hasMore ? 1 : 0) + links.length + spanTexts.length);
  writeCollected(target);
  if (hasMore) writeString(target, TRUNCATED_MARKER);
  for (const link of links) writeString(target, link);
  for (const text of spanTexts) writeString(target, text);
}

export function writeAttributeText(target: RowBuffer, path: string, text: string): void {
  if (path.length + 1 + text.length > MAX_TEXT_LENGTH) writeString(target, attributeText(path, text));
  else writePair(target, path, text);
}

export function ec2Of({ fields }: Entity): { readonly instanceId: string; readonly availabilityZone: string } {
  const aws = fields.aws;
  const ec2 = isJsonObject(aws) ? aws.ec2 : undefined;
  if (!isJsonObject(ec2)) return { instanceId: '', availabilityZone: '' };
  return { instanceId: textOf(ec2.instance_id), availabilityZone: textOf(ec2.availability_zone) };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
