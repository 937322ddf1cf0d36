import type {
  EntityRef,
  KeyValue,
  LogRecord,
  LogsData,
  Resource,
  ResourceLogs,
  ResourceSpans,
  Scope,
  ScopeLogs,
  ScopeSpans,
  Span,
  SpanEvent,
  SpanLink,
  SpanStatus,
  TracesData,
} from '../../otlp-messages.ts';
import {
  type BoundedReader,
  checkFieldEnd,
  newBoundedReader,
  readFieldEnd,
  readFixed64,
  readHex,
} from './bounded-reader.ts';
import { readAnyValue, readAttribute } from './decode-values.ts';

/**
 * OTLP in protobuf, read straight into the canonical OTLP/JSON form (see `model/otlp-messages.ts`), field by field over
 * protobufjs's reader: its generic decoder takes three times as long and makes an object of every 64-bit integer, see
 * docs/decisions/0006-otlp-decoding.md. The cases are the numbers of the fields.
 * Unknown fields are skipped, invalid UTF-8 is replaced. Values are read one level deeper than MAX_VALUE_DEPTH, so that
 * validation finds them. Throws when the bytes are not a message.
 */
export function decodeTraces(bytes: Buffer): TracesData {
  const reader = newBoundedReader(bytes);
  const resourceSpans: ResourceSpans[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) resourceSpans.push(readResourceSpans(reader, readFieldEnd(reader)));
    else reader.skipType(tag & 7);
  }
  return { resourceSpans };
}

/** The same for logs. */
export function decodeLogs(bytes: Buffer): LogsData {
  const reader = newBoundedReader(bytes);
  const resourceLogs: ResourceLogs[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) resourceLogs.push(readResourceLogs(reader, readFieldEnd(reader)));
    else reader.skipType(tag & 7);
  }
  return { resourceLogs };
}

/** A ResourceSpans or ScopeSpans of which only the fields beside its spans count, and a Span. */
export function decodeResourceSpans(bytes: Buffer): ResourceSpans {
  return readResourceSpans(newBoundedReader(bytes), bytes.length);
}

export function decodeScopeSpans(bytes: Buffer): ScopeSpans {
  return readScopeSpans(newBoundedReader(bytes), bytes.length);
}

export function decodeSpan(bytes: Buffer): Span {
  return readSpan(newBoundedReader(bytes), bytes.length);
}

/** A message that is being read. */
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function readResourceSpans(reader: BoundedReader, end: number): ResourceSpans {
  const target: Mutable<ResourceSpans> = {};
  const scopeSpans: ScopeSpans[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.resource = readResource(reader, readFieldEnd(reader), target.resource);
        break;
      case 2:
        scopeSpans.push(readScopeSpans(reader, readFieldEnd(reader)));
        break;
      case 3:
        target.schemaUrl = reader.string() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (scopeSpans.length > 0) target.scopeSpans = scopeSpans;
  return target;
}

function readScopeSpans(reader: BoundedReader, end: number): ScopeSpans {
  const target: Mutable<ScopeSpans> = {};
  const spans: Span[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.scope = readScope(reader, readFieldEnd(reader), target.scope);
        break;
      case 2:
        spans.push(readSpan(reader, readFieldEnd(reader)));
        break;
      case 3:
        target.schemaUrl = reader.string() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (spans.length > 0) target.spans = spans;
  return target;
}

function readResourceLogs(reader: BoundedReader, end: number): ResourceLogs {
  const target: Mutable<ResourceLogs> = {};
  const scopeLogs: ScopeLogs[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.resource = readResource(reader, readFieldEnd(reader), target.resource);
        break;
      case 2:
        scopeLogs.push(readScopeLogs(reader, readFieldEnd(reader)));
        break;
      case 3:
        target.schemaUrl = reader.string() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (scopeLogs.length > 0) target.scopeLogs = scopeLogs;
  return target;
}

function readScopeLogs(reader: BoundedReader, end: number): ScopeLogs {
  const target: Mutable<ScopeLogs> = {};
  const logRecords: LogRecord[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.scope = readScope(reader, readFieldEnd(reader), target.scope);
        break;
      case 2:
        logRecords.push(readLogRecord(reader, readFieldEnd(reader)));
        break;
      case 3:
        target.schemaUrl = reader.string() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (logRecords.length > 0) target.logRecords = logRecords;
  return target;
}

/** Protobuf merges a repeated submessage with the one before: lists are appended, other fields are replaced. */
function readResource(reader: BoundedReader, end: number, before: Resource = {}): Resource {
  const target: Mutable<Resource> = { ...before };
  const attributes = [...(before.attributes ?? [])];
  const entityRefs = [...(before.entityRefs ?? [])];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        attributes.push(readAttribute(reader));
        break;
      case 2:
        target.droppedAttributesCount = reader.uint32() || undefined;
        break;
      case 3:
        entityRefs.push(readEntityRef(reader, readFieldEnd(reader)));
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (attributes.length > 0) target.attributes = attributes;
  if (entityRefs.length > 0) target.entityRefs = entityRefs;
  return target;
}

function readEntityRef(reader: BoundedReader, end: number): EntityRef {
  const target: Mutable<EntityRef> = {};
  const idKeys: string[] = [];
  const descriptionKeys: string[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.schemaUrl = reader.string() || undefined;
        break;
      case 2:
        target.type = reader.string() || undefined;
        break;
      case 3:
        idKeys.push(reader.string());
        break;
      case 4:
        descriptionKeys.push(reader.string());
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (idKeys.length > 0) target.idKeys = idKeys;
  if (descriptionKeys.length > 0) target.descriptionKeys = descriptionKeys;
  return target;
}

function readScope(reader: BoundedReader, end: number, before: Scope = {}): Scope {
  const target: Mutable<Scope> = { ...before };
  const attributes = [...(before.attributes ?? [])];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.name = reader.string() || undefined;
        break;
      case 2:
        target.version = reader.string() || undefined;
        break;
      case 3:
        attributes.push(readAttribute(reader));
        break;
      case 4:
        target.droppedAttributesCount = reader.uint32() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (attributes.length > 0) target.attributes = attributes;
  return target;
}

export function readSpan(reader: BoundedReader, end: number): Span {
  const target: Mutable<Span> = { traceId: '', spanId: '' };
  let attributes: KeyValue[] | undefined;
  let events: SpanEvent[] | undefined;
  let links: SpanLink[] | undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.traceId = readHex(reader);
        break;
      case 2:
        target.spanId = readHex(reader);
        break;
      case 3:
        target.traceState = reader.string() || undefined;
        break;
      case 4:
        target.parentSpanId = readHex(reader) || undefined;
        break;
      case 5:
        target.name = reader.string() || undefined;
        break;
      case 6:
        target.kind = reader.int32() || undefined;
        break;
      case 7:
        target.startTimeUnixNano = readFixed64(reader);
        break;
      case 8:
        target.endTimeUnixNano = readFixed64(reader);
        break;
      case 9:
        attributes ??= [];
        attributes.push(readAttribute(reader));
        break;
      case 10:
        target.droppedAttributesCount = reader.uint32() || undefined;
        break;
      case 11:
        events ??= [];
        events.push(readEvent(reader, readFieldEnd(reader)));
        break;
      case 12:
        target.droppedEventsCount = reader.uint32() || undefined;
        break;
      case 13:
        links ??= [];
        links.push(readLink(reader, readFieldEnd(reader)));
        break;
      case 14:
        target.droppedLinksCount = reader.uint32() || undefined;
        break;
      case 15:
        target.status = nonEmptyStatus(readStatus(reader, readFieldEnd(reader), target.status));
        break;
      case 16:
        target.flags = reader.fixed32() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (attributes !== undefined) target.attributes = attributes;
  if (events !== undefined) target.events = events;
  if (links !== undefined) target.links = links;
  return target;
}

function readEvent(reader: BoundedReader, end: number): SpanEvent {
  const target: Mutable<SpanEvent> = {};
  let attributes: KeyValue[] | undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.timeUnixNano = readFixed64(reader);
        break;
      case 2:
        target.name = reader.string() || undefined;
        break;
      case 3:
        attributes ??= [];
        attributes.push(readAttribute(reader));
        break;
      case 4:
        target.droppedAttributesCount = reader.uint32() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (attributes !== undefined) target.attributes = attributes;
  return target;
}

function readLink(reader: BoundedReader, end: number): SpanLink {
  const target: Mutable<SpanLink> = {};
  let attributes: KeyValue[] | undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.traceId = readHex(reader);
        break;
      case 2:
        target.spanId = readHex(reader);
        break;
      case 3:
        target.traceState = reader.string() || undefined;
        break;
      case 4:
        attributes ??= [];
        attributes.push(readAttribute(reader));
        break;
      case 5:
        target.droppedAttributesCount = reader.uint32() || undefined;
        break;
      case 6:
        target.flags = reader.fixed32() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (attributes !== undefined) target.attributes = attributes;
  return target;
}

function readStatus(reader: BoundedReader, end: number, before: SpanStatus = {}): SpanStatus {
  const target: Mutable<SpanStatus> = { ...before };
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 2:
        target.message = reader.string() || undefined;
        break;
      case 3:
        target.code = reader.int32() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  return target;
}

/** Undefined for a status without code and message. */
export function nonEmptyStatus(status: SpanStatus | undefined): SpanStatus | undefined {
  return status?.message === undefined && status?.code === undefined ? undefined : status;
}

function readLogRecord(reader: BoundedReader, end: number): LogRecord {
  const target: Mutable<LogRecord> = {};
  let attributes: KeyValue[] | undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.timeUnixNano = readFixed64(reader);
        break;
      case 2:
        target.severityNumber = reader.int32() || undefined;
        break;
      case 3:
        target.severityText = reader.string() || undefined;
        break;
      case 5:
        target.body = readAnyValue(reader, readFieldEnd(reader), 0, target.body);
        break;
      case 6:
        attributes ??= [];
        attributes.push(readAttribute(reader));
        break;
      case 7:
        target.droppedAttributesCount = reader.uint32() || undefined;
        break;
      case 8:
        target.flags = reader.fixed32() || undefined;
        break;
      case 9:
        target.traceId = readHex(reader);
        break;
      case 10:
        target.spanId = readHex(reader);
        break;
      case 11:
        target.observedTimeUnixNano = readFixed64(reader);
        break;
      case 12:
        target.eventName = reader.string() || undefined;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  if (attributes !== undefined) target.attributes = attributes;
  return target;
}
