import protobuf from 'protobufjs/minimal.js';
import type {
  AnyValue,
  EntityRef,
  KeyValue,
  LogRecord,
  LogsData,
  Resource,
  ResourceLogs,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
  TracesData,
} from '../../otlp-messages.ts';

const { Writer } = protobuf;
type Out = protobuf.Writer;

/**
 * Encodes the canonical OTLP/JSON form as protobuf. The numbers are tags: the field number shifted by three, plus the
 * wire type.
 */
export function encodeTraces({ resourceSpans = [] }: TracesData): Uint8Array {
  return joinedTraces(
    resourceSpans.flatMap(({ resource = {}, schemaUrl, scopeSpans = [] }) => {
      const head = encodeResource(resource, schemaUrl);
      return scopeSpans.map(({ scope = {}, schemaUrl: scopeSchemaUrl, spans = [] }) => ({
        resource: head,
        scope: encodeScope(scope, scopeSchemaUrl),
        spans: encodeSpans(spans),
      }));
    }),
  );
}

/** Encoded spans with their resource and scope. Each part is encoded separately, so a shared part is encoded once. */
export type EncodedSpans = {
  /** The fields of a ResourceSpans except its spans. Groups with the same array become one message. */
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
  /** The field `spans` of a ScopeSpans, any number of times. */
  readonly spans: Uint8Array;
};

/** Joins groups of spans to an ExportTraceServiceRequest. */
export function joinedTraces(groups: readonly EncodedSpans[]): Uint8Array {
  const resources = new Map<Uint8Array, Map<Uint8Array, Uint8Array[]>>();
  for (const { resource, scope, spans } of groups) {
    const scopes = resources.get(resource) ?? new Map<Uint8Array, Uint8Array[]>();
    resources.set(resource, scopes);
    const ofScope = scopes.get(scope);
    if (ofScope === undefined) scopes.set(scope, [spans]);
    else ofScope.push(spans);
  }
  return Buffer.concat(
    Array.from(resources, ([resource, scopes]) =>
      delimited(10, [resource, ...Array.from(scopes, ([scope, spans]) => delimited(18, [scope, ...spans]))]),
    ),
  );
}

function delimited(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Writer.create().uint32(tag).uint32(length).finish(), ...parts]);
}

export function encodeResource(resource: Resource, schemaUrl: string | undefined): Uint8Array {
  const out = Writer.create();
  writeResource(out.uint32(10).fork(), resource);
  writeText(out.ldelim(), 26, schemaUrl);
  return out.finish();
}

export function encodeScope(scope: Scope, schemaUrl: string | undefined): Uint8Array {
  const out = Writer.create();
  writeScope(out.uint32(10).fork(), scope);
  writeText(out.ldelim(), 26, schemaUrl);
  return out.finish();
}

export function encodeSpans(spans: readonly Span[]): Uint8Array {
  const out = Writer.create();
  for (const span of spans) {
    writeSpan(out.uint32(18).fork(), span);
    out.ldelim();
  }
  return out.finish();
}

export function encodeSpan(span: Span): Uint8Array {
  const out = Writer.create();
  writeSpan(out, span);
  return out.finish();
}

/** Encodes an ExportLogsServiceRequest. */
export function encodeLogs({ resourceLogs = [] }: LogsData): Uint8Array {
  const out = Writer.create();
  for (const one of resourceLogs) {
    writeResourceLogs(out.uint32(10).fork(), one);
    out.ldelim();
  }
  return out.finish();
}

function writeResourceLogs(out: Out, { resource = {}, scopeLogs = [], schemaUrl }: ResourceLogs): void {
  writeResource(out.uint32(10).fork(), resource);
  out.ldelim();
  for (const { scope = {}, logRecords = [], schemaUrl: scopeSchemaUrl } of scopeLogs) {
    out.uint32(18).fork();
    writeScope(out.uint32(10).fork(), scope);
    out.ldelim();
    for (const record of logRecords) {
      writeLogRecord(out.uint32(18).fork(), record);
      out.ldelim();
    }
    writeText(out, 26, scopeSchemaUrl);
    out.ldelim();
  }
  writeText(out, 26, schemaUrl);
}

function writeResource(out: Out, { attributes, droppedAttributesCount, entityRefs = [] }: Resource): void {
  writeAttributes(out, 10, attributes);
  writeCount(out, 16, droppedAttributesCount);
  for (const ref of entityRefs) {
    writeEntityRef(out.uint32(26).fork(), ref);
    out.ldelim();
  }
}

function writeEntityRef(out: Out, { schemaUrl, type, idKeys = [], descriptionKeys = [] }: EntityRef): void {
  writeText(out, 10, schemaUrl);
  writeText(out, 18, type);
  for (const key of idKeys) out.uint32(26).string(key);
  for (const key of descriptionKeys) out.uint32(34).string(key);
}

function writeScope(out: Out, { name, version, attributes, droppedAttributesCount }: Scope): void {
  writeText(out, 10, name);
  writeText(out, 18, version);
  writeAttributes(out, 26, attributes);
  writeCount(out, 32, droppedAttributesCount);
}

function writeSpan(out: Out, span: Span): void {
  writeHex(out, 10, span.traceId);
  writeHex(out, 18, span.spanId);
  writeText(out, 26, span.traceState);
  writeHex(out, 34, span.parentSpanId);
  writeText(out, 42, span.name);
  if (span.kind !== undefined) out.uint32(48).int32(span.kind);
  writeNanos(out, 57, span.startTimeUnixNano);
  writeNanos(out, 65, span.endTimeUnixNano);
  writeAttributes(out, 74, span.attributes);
  writeCount(out, 80, span.droppedAttributesCount);
  for (const event of span.events ?? []) {
    writeEvent(out.uint32(90).fork(), event);
    out.ldelim();
  }
  writeCount(out, 96, span.droppedEventsCount);
  for (const link of span.links ?? []) {
    writeLink(out.uint32(106).fork(), link);
    out.ldelim();
  }
  writeCount(out, 112, span.droppedLinksCount);
  if (span.status !== undefined) {
    writeText(out.uint32(122).fork(), 18, span.status.message);
    if (span.status.code !== undefined) out.uint32(24).int32(span.status.code);
    out.ldelim();
  }
  if (span.flags !== undefined) out.uint32(133).fixed32(span.flags);
}

function writeEvent(out: Out, { timeUnixNano, name, attributes, droppedAttributesCount }: SpanEvent): void {
  writeNanos(out, 9, timeUnixNano);
  writeText(out, 18, name);
  writeAttributes(out, 26, attributes);
  writeCount(out, 32, droppedAttributesCount);
}

function writeLink(
  out: Out,
  { traceId, spanId, traceState, attributes, droppedAttributesCount, flags }: SpanLink,
): void {
  writeHex(out, 10, traceId);
  writeHex(out, 18, spanId);
  writeText(out, 26, traceState);
  writeAttributes(out, 34, attributes);
  writeCount(out, 40, droppedAttributesCount);
  if (flags !== undefined) out.uint32(53).fixed32(flags);
}

function writeLogRecord(out: Out, record: LogRecord): void {
  writeNanos(out, 9, record.timeUnixNano);
  if (record.severityNumber !== undefined) out.uint32(16).int32(record.severityNumber);
  writeText(out, 26, record.severityText);
  if (record.body !== undefined) {
    writeAnyValue(out.uint32(42).fork(), record.body);
    out.ldelim();
  }
  writeAttributes(out, 50, record.attributes);
  writeCount(out, 56, record.droppedAttributesCount);
  if (record.flags !== undefined) out.uint32(69).fixed32(record.flags);
  writeHex(out, 74, record.traceId);
  writeHex(out, 82, record.spanId);
  writeNanos(out, 89, record.observedTimeUnixNano);
  writeText(out, 98, record.eventName);
}

function writeAttributes(out: Out, tag: number, attributes: readonly KeyValue[] = []): void {
  for (const { key, value } of attributes) {
    writeText(out.uint32(tag).fork(), 10, key);
    if (value !== undefined) {
      writeAnyValue(out.uint32(18).fork(), value);
      out.ldelim();
    }
    out.ldelim();
  }
}

/** Writes a member even if it has its default value: without a member it would be the empty value. */
function writeAnyValue(out: Out, value: AnyValue): void {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  if (stringValue !== undefined) out.uint32(10).string(stringValue);
  else if (boolValue !== undefined) out.uint32(16).bool(boolValue);
  else if (intValue !== undefined) writeInt64(out.uint32(24), intValue);
  else if (doubleValue !== undefined) out.uint32(33).double(Number(doubleValue));
  else if (bytesValue !== undefined) out.uint32(58).bytes(Buffer.from(bytesValue, 'base64'));
  else if (kvlistValue !== undefined) {
    writeAttributes(out.uint32(50).fork(), 10, kvlistValue.values);
    out.ldelim();
  } else if (arrayValue !== undefined) {
    out.uint32(42).fork();
    for (const one of arrayValue.values ?? []) {
      writeAnyValue(out.uint32(10).fork(), one);
      out.ldelim();
    }
    out.ldelim();
  }
}

/** Most numbers are small and need no BigInt. */
function writeInt64(out: Out, digits: string): void {
  const number = Number(digits);
  if (Number.isSafeInteger(number)) out.int64(number);
  else out.int64(halvesOf(BigInt(digits)));
}

function writeNanos(out: Out, tag: number, digits: string | undefined): void {
  if (digits !== undefined) out.uint32(tag).fixed64(halvesOf(BigInt(digits)));
}

function halvesOf(value: bigint): protobuf.Long {
  const low = Number(value & 0xffff_ffffn) | 0;
  const high = Number((value >> 32n) & 0xffff_ffffn) | 0;
  return { low, high, unsigned: true };
}

function writeText(out: Out, tag: number, text: string | undefined): void {
  if (text !== undefined) out.uint32(tag).string(text);
}

function writeHex(out: Out, tag: number, hex: string | undefined): void {
  if (hex !== undefined) out.uint32(tag).bytes(Buffer.from(hex, 'hex'));
}

function writeCount(out: Out, tag: number, count: number | undefined): void {
  if (count !== undefined) out.uint32(tag).uint32(count);
}
