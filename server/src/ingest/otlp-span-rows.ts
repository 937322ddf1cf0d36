import { isJsonObject, type JsonObject, type JsonValue, readText } from '../model/json.ts';
import type { Attributes } from '../model/otlp/to-xray/attributes.ts';
import { namespaceOf } from '../model/otlp/to-xray/call-namespace.ts';
import { serviceSegmentId } from '../model/otlp/to-xray/derived-ids.ts';
import { flagsOf } from '../model/otlp/to-xray/flags.ts';
import { httpOf } from '../model/otlp/to-xray/http.ts';
import { segmentName, subsegmentName } from '../model/otlp/to-xray/name.ts';
import { possibleParents, type Shape, shapeOf } from '../model/otlp/to-xray/span-shape.ts';
import { databaseOf, userOf } from '../model/otlp/to-xray/span-to-entities.ts';
import { sqlOf } from '../model/otlp/to-xray/sql.ts';
import { type BoundedReader, readFieldEnd } from '../model/otlp/wire/bounded-reader.ts';
import { encodeLabels, serviceLabel } from '../model/otlp/wire/stored-span.ts';
import { KIND as SPAN_KIND, STATUS } from '../model/otlp-messages.ts';
import { type OutcomeFlags, readFlags } from '../model/outcome.ts';
import { readHttp, truncatedName } from '../model/read-entity.ts';
import { readTimeUs } from '../model/time.ts';
import type { EntityId } from '../model/trace-id.ts';
import { addLeanSpan, type LeanSpanBuffer } from '../store/lean-spans.ts';
import {
  type RowBuffer,
  writeBool,
  writeBytes,
  writeHex,
  writeLength,
  writeRange,
  writeString,
  writeUInt16,
  writeUInt32,
  writeUInt64,
} from '../store/row-binary.ts';
import { spanNameText } from '../store/span-texts.ts';
import { writeAttributeText } from '../store/write/rows.ts';
import { dropSharedTexts, runOf, type SharedTexts } from '../store/write/shared-texts.ts';
import { writeStoredSpan } from '../store/write/span-row.ts';
import {
  isIndexed,
  newSpanAttribute,
  readSpanAttribute,
  type SpanAttribute,
  writeSpanAttribute,
} from './otlp-attributes.ts';
import type { SharedRows, SpanLabels } from './otlp-shared-rows.ts';

/*
 * From the bytes of a span to its rows, without an object of the span:
 *
 *   bytes -- readFields: one pass, a case a field --> span, attributes      the rules of model/otlp/to-xray/
 *                                                        |                              |
 *                                                        +--- names, http, flags <------+
 *                                                        v
 *                                     a row of `entities` for each entity, the row of `documents`
 *
 * The rows are those of `writeEntities(readStoredSpan(…))` and `writeDocument`, byte for byte: a test compares them for
 * generated spans. Rare spans are left to that way over objects: invalid ones, those with events, links or nested
 * values, failed ones, calls to AWS, and those of Lambda functions.
 */

/** Rows and spans without `seq`, and where the rows begin. */
export type SpanRows = {
  readonly entities: RowBuffer;
  readonly entityStarts: number[];
  readonly documents: RowBuffer;
  readonly documentStarts: number[];
  /** One for each row of `documents`. */
  readonly leanSpans: LeanSpanBuffer;
  /** Attributes of the rows, which later rows of the same trace leave out. */
  readonly texts: SharedTexts;
};

/** Tags of a Span: field number and wire type. */
const TRACE_ID = 10;
const SPAN_ID = 18;
const TRACE_STATE = 26;
const PARENT_SPAN_ID = 34;
const NAME = 42;
const KIND = 48;
const START_TIME = 57;
const END_TIME = 65;
const ATTRIBUTE = 74;
const DROPPED_ATTRIBUTES = 80;
const DROPPED_EVENTS = 96;
const DROPPED_LINKS = 112;
const STATUS_FIELD = 122;
const FLAGS = 133;
/** Tags of its status. */
const STATUS_MESSAGE = 18;
const STATUS_CODE = 24;
/** Fields of later versions of the protocol are stored and not read. */
const LAST_FIELD = 16;

/** The span that is being read. Times are microseconds since 1970, positions are bytes of the request. */
const span = {
  traceAt: 0,
  idAt: 0,
  /** -1 without a parent. */
  parentAt: -1,
  startUs: 0,
  endUs: undefined as number | undefined,
  /** Of the segment around a call, once it is known. */
  serviceId: undefined as EntityId | undefined,
  traceId: '',
  spanId: '',
  parentSpanId: undefined as string | undefined,
  name: undefined as string | undefined,
  kind: undefined as number | undefined,
  flags: undefined as number | undefined,
  status: undefined as { code: number } | undefined,
};
const MAX_ATTRIBUTES = 100;
const spares = Array.from({ length: MAX_ATTRIBUTES }, newSpanAttribute);
const attributes: SpanAttribute[] = [];
/** The attributes that a rule may read. */
const read = {
  values: new Map(),
  families: { http: false, aws: false, db: false, rpc: false } as Attributes['families'],
  consumed: [] as string[],
} satisfies Attributes;
let spanNumber = 0;

/**
 * Writes the rows of the span that ends at `end`, and returns true. False for a rare span: nothing is written, and the
 * reader may be anywhere.
 */
export function writeCommonSpan(
  reader: BoundedReader,
  end: number,
  shared: SharedRows,
  server: number,
  rows: SpanRows,
): boolean {
  const start = reader.pos;
  if (shared.isRare || !readFields(reader, end) || !hasIds(reader.buf)) return false;
  const namespace = namespaceOf(span, read);
  if (namespace === 'aws') return false;
  const first = shapeOf(span, read, shared.xray, undefined);
  const [parent] = possibleParents(span, read, shared.xray);
  const second = parent === undefined ? undefined : shapeOf(span, read, shared.xray, parent);
  const user = userOf(read);
  const http = httpOf(span, read, namespace);
  const sql = first !== 'segment' && read.families.db ? sqlOf(read) : undefined;
  // A segment shows as metadata what is `sql` in a subsegment.
  if (sql !== undefined && second === 'segment') return false;
  const httpResponse = objectIn(http, 'response');
  const status = typeof httpResponse?.status === 'number' ? httpResponse.status : undefined;
  const flags = flagsOf(span, read, namespace, NONE);
  const view: View = {
    shared,
    request: reader.buf as Buffer,
    segmentName: shared.service ?? segmentName(span, read, shared.xray),
    callName:
      first === 'segment' && (second ?? first) === 'segment'
        ? ''
        : truncatedName(subsegmentName(span, read, namespace)),
    namespace,
    user,
    http,
    httpRequest: objectIn(http, 'request'),
    httpResponse,
    sql,
    status,
    flags: readFlags(flags, status),
    serviceFlags:
      first === 'segment-and-call' || second === 'segment-and-call' ? readFlags(flags, undefined) : NO_FLAGS,
  };
  writeReading(rows, view, first, second ?? first, true);
  if (second !== undefined) writeReading(rows, view, second, second, false);
  const bodyBytes = writeDocumentRow(rows, view, server, start, end);
  writeLeanSpan(rows.leanSpans, view, first, second !== undefined, bodyBytes);
  return true;
}

const NONE: readonly never[] = [];
const NO_FLAGS: OutcomeFlags = { outcome: 'ok', isFault: false, isError: false, isThrottle: false };

/** One pass over the bytes. False for a rare span. */
function readFields(reader: BoundedReader, end: number): boolean {
  reset();
  const { buf } = reader;
  let nameStart = 0;
  let nameEnd = 0;
  let code = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag) {
      case TRACE_ID:
        if (reader.uint32() !== 16) return false;
        span.traceAt = reader.pos;
        reader.pos += 16;
        break;
      case SPAN_ID:
        if (reader.uint32() !== 8) return false;
        span.idAt = reader.pos;
        reader.pos += 8;
        break;
      case PARENT_SPAN_ID: {
        const length = reader.uint32();
        if (length !== 0 && length !== 8) return false;
        span.parentAt = length === 0 || isZero(buf, reader.pos, 8) ? -1 : reader.pos;
        reader.pos += length;
        break;
      }
      case NAME:
        nameEnd = readFieldEnd(reader);
        nameStart = reader.pos;
        reader.pos = nameEnd;
        break;
      case KIND:
        span.kind = reader.int32() || undefined;
        break;
      case START_TIME:
        span.startUs = readTimeUs((readUs(reader) ?? 0) / 1e6) ?? 0;
        break;
      case END_TIME: {
        const us = readUs(reader);
        span.endUs = us === undefined ? undefined : readTimeUs(us / 1e6);
        break;
      }
      case ATTRIBUTE:
        if (!addAttribute(reader)) return false;
        break;
      case STATUS_FIELD: {
        const statusEnd = readFieldEnd(reader);
        while (reader.pos < statusEnd) {
          const statusTag = reader.uint32();
          if (statusTag === STATUS_CODE) code = reader.int32();
          else if (statusTag === STATUS_MESSAGE) reader.skipType(2);
          else return false;
        }
        if (reader.pos !== statusEnd) return false;
        break;
      }
      case FLAGS:
        span.flags = reader.fixed32() || undefined;
        break;
      case TRACE_STATE:
      case DROPPED_ATTRIBUTES:
      case DROPPED_EVENTS:
      case DROPPED_LINKS:
        reader.skipType(tag & 7);
        break;
      default:
        if (tag >>> 3 <= LAST_FIELD) return false;
        reader.skipType(tag & 7);
    }
  }
  if (reader.pos !== end || code === STATUS.error) return false;
  if (nameEnd > nameStart) span.name = (buf as Buffer).toString('utf8', nameStart, nameEnd);
  // The rules only ask whether there is a parent.
  if (span.parentAt >= 0) span.parentSpanId = 'present';
  if (span.endUs !== undefined && span.endUs < span.startUs) span.endUs = span.startUs;
  return true;
}

function reset(): void {
  spanNumber++;
  span.traceAt = -1;
  span.idAt = -1;
  span.parentAt = -1;
  span.startUs = 0;
  span.endUs = undefined;
  span.serviceId = undefined;
  span.parentSpanId = undefined;
  span.name = undefined;
  span.kind = undefined;
  span.flags = undefined;
  dropAttributes();
  read.consumed.length = 0;
  read.families.http = false;
  read.families.db = false;
  read.families.rpc = false;
}

/** The map keeps its keys, without values: clearing it would make a new table for each span. */
function dropAttributes(): void {
  const { values } = read;
  if (values.size > MAX_KNOWN_KEYS) values.clear();
  for (const { key } of attributes) if (key.isRead) values.set(key.name, undefined);
  attributes.length = 0;
}

const MAX_KNOWN_KEYS = 1_000;

function hasIds(buf: Uint8Array): boolean {
  return span.traceAt >= 0 && span.idAt >= 0 && !isZero(buf, span.traceAt, 16) && !isZero(buf, span.idAt, 8);
}

function isZero(buf: Uint8Array, at: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (buf[at + index] !== 0) return false;
  return true;
}

/** Nanoseconds as microseconds, rounded; undefined for 0. No double holds all their digits. */
function readUs(reader: BoundedReader): number | undefined {
  const low = reader.fixed32();
  const high = reader.fixed32();
  if (low === 0 && high === 0) return undefined;
  const thousands = Math.floor(high / 1000);
  const rest = (high - thousands * 1000) * 0x1_0000_0000 + low;
  return thousands * 0x1_0000_0000 + Math.floor((rest + 500) / 1000);
}

function addAttribute(reader: BoundedReader): boolean {
  const spare = spares[attributes.length];
  const attribute = spare && readSpanAttribute(reader, spare, spanNumber);
  if (attribute === undefined) return false;
  const { key } = attribute;
  // Of a repeated key the last value counts, in the place of the first.
  if (key.isRare || key.seenIn === spanNumber) return false;
  key.seenIn = spanNumber;
  attributes.push(attribute);
  if (key.isRead) read.values.set(key.name, attribute.value);
  if (key.family !== undefined) read.families[key.family] = true;
  return true;
}

/** What the rules say of the span. */
type View = {
  readonly shared: SharedRows;
  readonly request: Buffer;
  readonly segmentName: string;
  /** Name of the subsegment; empty if there is none. */
  readonly callName: string;
  readonly namespace: 'remote' | undefined;
  readonly user: string | undefined;
  readonly http: JsonObject | undefined;
  /** Members of `http`. */
  readonly httpRequest: JsonObject | undefined;
  readonly httpResponse: JsonObject | undefined;
  readonly sql: JsonObject | undefined;
  readonly status: number | undefined;
  readonly flags: OutcomeFlags;
  /** Of the segment around a call, which has no status. */
  readonly serviceFlags: OutcomeFlags;
};

function objectIn(http: JsonObject | undefined, member: string): JsonObject | undefined {
  const value: JsonValue | undefined = http?.[member];
  return isJsonObject(value) ? value : undefined;
}

type EntityRow = {
  readonly part: 'segment' | 'service' | 'call';
  readonly isInSegment: boolean;
  /** Hex; undefined if it is the parent of the span. */
  readonly serviceId: string | undefined;
};

/** The rows of one shape. The first row of a span has the attributes of all its shapes. */
function writeReading(rows: SpanRows, view: View, shape: Shape, other: Shape, isFirst: boolean): void {
  const isInSegment = shape !== 'subsegment';
  if (shape === 'segment-and-call') {
    const serviceId = serviceIdOf(view.request);
    writeEntityRow(rows, view, { part: 'service', isInSegment, serviceId });
    if (isFirst) writeAttributes(rows, view, shape, other);
    else writeLength(rows.entities, 0);
    writeEntityRow(rows, view, { part: 'call', isInSegment, serviceId });
    writeLength(rows.entities, 0);
    return;
  }
  const part = shape === 'segment' ? 'segment' : 'call';
  writeEntityRow(rows, view, { part, isInSegment, serviceId: undefined });
  if (isFirst) writeAttributes(rows, view, shape, other);
  else writeLength(rows.entities, 0);
}

/** Of the segment around the call. */
function serviceIdOf(request: Buffer): EntityId {
  const { traceAt, idAt } = span;
  span.serviceId ??= serviceSegmentId(
    request.toString('hex', traceAt, traceAt + 16),
    request.toString('hex', idAt, idAt + 8),
  );
  return span.serviceId;
}

/** All columns but the last, `attributes`. */
function writeEntityRow(
  { entities: row, entityStarts }: SpanRows,
  view: View,
  { part, isInSegment, serviceId }: EntityRow,
) {
  const { shared, request, namespace, httpRequest } = view;
  const { traceAt, idAt, parentAt } = span;
  const isSegment = part !== 'call';
  const isTop = part !== 'service';
  entityStarts.push(row.length);
  writeRange(row, request, traceAt, traceAt + 16);
  if (isTop) writeRange(row, request, idAt, idAt + 8);
  else writeHex(row, serviceId, 8);
  if (isTop && serviceId !== undefined) writeHex(row, serviceId, 8);
  else if (isTop && parentAt >= 0) writeRange(row, request, parentAt, parentAt + 8);
  else writeHex(row, undefined, 8);
  if (isTop) writeHex(row, undefined, 8);
  else writeRange(row, request, idAt, idAt + 8);
  writeBool(row, isInSegment);
  writeUInt64(row, 0);
  writeBool(row, isSegment);
  writeBool(row, isSegment && parentAt < 0);
  writeBool(row, span.endUs === undefined);
  writeUInt64(row, span.startUs);
  writeUInt64(row, span.endUs ?? 0);
  writeString(row, isSegment ? truncatedName(view.segmentName) : view.callName);
  writeString(row, isSegment ? shared.origin : '');
  writeString(row, isSegment ? '' : (namespace ?? ''));
  const status = isTop ? view.status : undefined;
  writeFlags(row, isTop ? view.flags : view.serviceFlags);
  writeUInt16(row, status ?? 0);
  if (isTop && httpRequest !== undefined) {
    for (const member of REQUEST_COLUMNS) writeString(row, readText(httpRequest[member]) ?? '');
  } else for (const _ of REQUEST_COLUMNS) writeLength(row, 0);
  writeString(row, (isTop ? view.user : undefined) ?? '');
  if (isSegment) writeBytes(row, shared.identity);
  else for (let columns = 0; columns < IDENTITY_COLUMNS; columns++) writeLength(row, 0);
  for (let maps = 0; maps < ANNOTATION_COLUMNS; maps++) writeLength(row, 0);
}

const REQUEST_COLUMNS = ['method', 'url', 'user_agent', 'client_ip'] as const;
/** Empty texts and maps of a row, one byte each. */
const IDENTITY_COLUMNS = 4;
const ANNOTATION_COLUMNS = 3;

function writeFlags(row: RowBuffer, { isFault, isError, isThrottle }: OutcomeFlags): void {
  writeBool(row, isFault);
  writeBool(row, isError);
  writeBool(row, isThrottle);
}

/** In the order of the entities: each has its metadata first, then its other members. Ends the last row. */
function writeAttributes(rows: SpanRows, view: View, shape: Shape, other: Shape): void {
  const { entities: row, entityStarts, texts } = rows;
  const { shared, sql, request } = view;
  const [rowAt, listAt] = [entityStarts.at(-1) as number, row.length];
  const run = runOf(texts, row, rowAt, span.startUs);
  const hasResource = (shape !== 'subsegment' || other !== 'subsegment') && !isWrittenIn(shared, run);
  const httpTexts = httpTextsOf(view);
  let count = httpTexts.length + (hasResource ? shared.attributeCount : 0);
  for (const _ in sql) count++;
  indexed.length = 0;
  for (const attribute of attributes) {
    if (isWritten(attribute) && !(attribute.encodedStart >= 0 && isWrittenIn(attribute, run))) indexed.push(attribute);
  }
  count += indexed.length;
  const hasName = isNamedLikeSpan(view, shape) || isNamedLikeSpan(view, other);
  if (!hasName) count++;
  writeLength(row, count);
  if (hasResource && shape === 'segment-and-call') writeBytes(row, shared.attributes);
  for (const attribute of indexed) writeSpanAttribute(row, attribute, request);
  if (hasResource && shape === 'segment') writeBytes(row, shared.attributes);
  for (const [path, text] of httpTexts) writeAttributeText(row, path, text);
  for (const member in sql) writeAttributeText(row, `segment.sql.${member}`, String(sql[member]));
  if (shape === 'subsegment' && hasResource) writeBytes(row, shared.attributes);
  if (!hasName) writeString(row, spanNameText(span.name ?? ''));
  dropSharedTexts(texts, row, rowAt, listAt);
}

/** Whether earlier rows of the run have the strings; from now on they have. */
function isWrittenIn(strings: { writtenIn: number }, run: number): boolean {
  const isKnown = strings.writtenIn === run && run > 0;
  strings.writtenIn = run;
  return isKnown;
}

/** Whether a row of the shape has the name of the span: see store/span-texts.ts. */
function isNamedLikeSpan({ segmentName: ofSegment, callName }: View, shape: Shape): boolean {
  const name = span.name ?? '';
  return (shape !== 'subsegment' && truncatedName(ofSegment) === name) || (shape !== 'segment' && callName === name);
}

/** The attributes of the span that have an indexed string. */
const indexed: SpanAttribute[] = [];

function isWritten(attribute: SpanAttribute): boolean {
  return isIndexed(attribute) && !(attribute.key.isRead && read.consumed.includes(attribute.key.name));
}

/** Members of `http` without a column. */
function httpTextsOf({ httpRequest, httpResponse }: View): readonly (readonly [path: string, text: string])[] {
  const isForwarded = httpRequest?.x_forwarded_for;
  const contentLength = httpResponse?.content_length;
  if (isForwarded === undefined && contentLength === undefined) return NONE;
  return [
    ...(isForwarded === undefined ? [] : [['segment.http.request.x_forwarded_for', String(isForwarded)] as const]),
    ...(contentLength === undefined ? [] : [['segment.http.response.content_length', String(contentLength)] as const]),
  ];
}

function writeDocumentRow(
  { documents: row, documentStarts }: SpanRows,
  { shared, request, segmentName: service }: View,
  server: number,
  start: number,
  end: number,
): number {
  const idsAt = row.length;
  documentStarts.push(idsAt);
  writeRange(row, request, span.traceAt, span.traceAt + 16);
  writeRange(row, request, span.idAt, span.idAt + 8);
  writeUInt64(row, 0);
  writeUInt32(row, server);
  const { encoded: labels, kindAt } = labelsOf(shared, service);
  const times = { isUnfinished: span.endUs === undefined, startUs: span.startUs, endUs: Math.max(0, span.endUs ?? 0) };
  return writeStoredSpan(row, idsAt, times, { labels, kindAt, shared: shared.encoded, bytes: request, start, end });
}

/** What the roll-up needs of the span: its entities, as `leanDocument` makes them. */
function writeLeanSpan(
  target: LeanSpanBuffer,
  view: View,
  shape: Shape,
  dependsOnParent: boolean,
  bodyBytes: number,
): void {
  const { request, shared, namespace, user, sql, flags, serviceFlags } = view;
  const { traceAt, idAt, parentAt, startUs, endUs } = span;
  const name = shape === 'segment' ? truncatedName(view.segmentName) : view.callName;
  addLeanSpan(target, {
    request,
    traceAt,
    idAt,
    parentAt,
    startUs,
    endUs,
    bodyBytes,
    shape,
    isServer: span.kind === SPAN_KIND.server,
    dependsOnParent,
    isRemote: namespace === 'remote',
    hasSql: sql !== undefined,
    flags,
    serviceFlags,
    serviceId: shape === 'segment-and-call' ? serviceIdOf(request) : undefined,
    shared,
    name,
    user,
    http: shape === 'segment' && parentAt < 0 ? readHttp(view.http) : undefined,
    callee: shape === 'segment' ? undefined : databaseOf({ namespace, name }, read),
    serviceName: shape === 'segment-and-call' ? truncatedName(view.segmentName) : undefined,
  });
}

/** Services have few names of spans, unless they put ids into them. */
const MAX_LABELS = 1_000;

function labelsOf({ labels, service: sharedService }: SharedRows, service: string): SpanLabels {
  const { kind = 0, name = '' } = span;
  if (sharedService === undefined) return spanLabels(service, kind, name);
  const known = labels.get(name);
  if (known?.kind === kind) return known;
  const made = spanLabels(service, kind, name);
  if (labels.size >= MAX_LABELS) labels.clear();
  labels.set(name, made);
  return made;
}

function spanLabels(service: string, kind: number, name: string): SpanLabels {
  return { kind, encoded: encodeLabels({ service, kind, name }), kindAt: serviceLabel(service).length };
}
