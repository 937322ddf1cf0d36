import { OpenrayError } from '../errors.ts';
import { isDouble } from '../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { tooManyValues } from '../model/otlp/wire/bounded-reader.ts';
import { nonEmptyStatus } from '../model/otlp/wire/decode.ts';
import { doubleOf } from '../model/otlp/wire/decode-values.ts';
import { MAX_VALUE_DEPTH, MAX_VALUES } from '../model/otlp/wire/limits.ts';
import type {
  AnyValue,
  DoubleValue,
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
} from '../model/otlp-messages.ts';
import { memberOf, refuseUnknownMembers } from './otlp-json-members.ts';

/**
 * Reads all variants of OTLP/JSON that exporters write into the canonical form (see `model/otlp-messages.ts`): names of
 * protobuf or JSON, numbers or text for 64-bit integers, names for kinds, base64 of either alphabet. Unknown members and
 * members that are null are dropped.
 * Throws SerializationException, naming the member, when a member has another type than the protocol defines, or when
 * there are no spans but unknown members.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function readTraces(text: string): TracesData {
  const body = parse(text);
  const resourceSpans = list(body, 'resourceSpans', readResourceSpans);
  const hasSpans = resourceSpans?.some(({ scopeSpans }) => scopeSpans?.some(({ spans }) => spans !== undefined));
  if (hasSpans !== true) refuseUnknownMembers(body, 'traces');
  return { resourceSpans };
}

/** The same for logs. */
export function readLogs(text: string): LogsData {
  const body = parse(text);
  const resourceLogs = list(body, 'resourceLogs', readResourceLogs);
  const hasRecords = resourceLogs?.some(({ scopeLogs }) =>
    scopeLogs?.some(({ logRecords }) => logRecords !== undefined),
  );
  if (hasRecords !== true) refuseUnknownMembers(body, 'logs');
  return { resourceLogs };
}

const METRIC_KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** The number of data points in a request for metrics; the points themselves are not read. */
export function countDataPoints(text: string): number {
  const body = parse(text);
  const metrics = ['resourceMetrics', 'scopeMetrics', 'metrics'].reduce(
    (containers, name) => containers.flatMap((one) => list(one, name, (inner) => inner) ?? []),
    [body],
  );
  if (metrics.length === 0) refuseUnknownMembers(body, 'metrics');
  const dataPoints = (metric: JsonObject, kind: string) =>
    object(metric, kind, (data) => list(data, 'dataPoints', () => 1)?.length) ?? 0;
  return metrics.flatMap((metric) => METRIC_KINDS.map((kind) => dataPoints(metric, kind))).reduce((a, b) => a + b, 0);
}

function parse(text: string): JsonObject {
  if (hasMoreContainersThan(text, MAX_VALUES)) throw tooManyValues();
  let data: JsonValue;
  try {
    data = JSON.parse(quoteLongIntegers(text));
  } catch (cause) {
    throw new OpenrayError('SerializationException', `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isJsonObject(data)) throw new OpenrayError('SerializationException', 'the body must be a JSON object');
  return data;
}

/** Whether the text opens more than `most` lists and objects. A text of at most `most` characters cannot. */
function hasMoreContainersThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let count = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInText) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) isInText = false;
    } else if (code === QUOTE) isInText = true;
    else if ((code === OPEN_BRACE || code === OPEN_BRACKET) && ++count > most) return true;
  }
  return false;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const OPEN_BRACE = 123;

const LONG_INTEGER = /[:[,]\s*-?\d{16,}\s*[,\]}]/;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * `JSON.parse` rounds integers of more than 15 digits; the protocol requires quotes for them, but some senders omit
 * these.
 */
function quoteLongIntegers(text: string): string {
  if (!LONG_INTEGER.test(text)) return text;
  return text.replace(TOKENS, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token));
}

function readResourceSpans(from: JsonObject): ResourceSpans {
  return {
    resource: object(from, 'resource', readResource),
    scopeSpans: list(from, 'scopeSpans', readScopeSpans),
    schemaUrl: string(from, 'schemaUrl'),
  };
}

function readScopeSpans(from: JsonObject): ScopeSpans {
  return {
    scope: object(from, 'scope', readScope),
    spans: list(from, 'spans', readSpan),
    schemaUrl: string(from, 'schemaUrl'),
  };
}

function readResourceLogs(from: JsonObject): ResourceLogs {
  return {
    resource: object(from, 'resource', readResource),
    scopeLogs: list(from, 'scopeLogs', readScopeLogs),
    schemaUrl: string(from, 'schemaUrl'),
  };
}

function readScopeLogs(from: JsonObject): ScopeLogs {
  return {
    scope: object(from, 'scope', readScope),
    logRecords: list(from, 'logRecords', readLogRecord),
    schemaUrl: string(from, 'schemaUrl'),
  };
}

function readResource(from: JsonObject): Resource {
  return { ...readAttributes(from), entityRefs: list(from, 'entityRefs', readEntityRef) };
}

function readEntityRef(from: JsonObject): EntityRef {
  return {
    schemaUrl: string(from, 'schemaUrl'),
    type: string(from, 'type'),
    idKeys: strings(from, 'idKeys'),
    descriptionKeys: strings(from, 'descriptionKeys'),
  };
}

function readScope(from: JsonObject): Scope {
  return {
    name: string(from, 'name'),
    version: string(from, 'version'),
    ...readAttributes(from),
  };
}

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'];

function readSpan(from: JsonObject): Span {
  return {
    traceId: id(from, 'traceId') ?? '',
    spanId: id(from, 'spanId') ?? '',
    traceState: string(from, 'traceState'),
    parentSpanId: id(from, 'parentSpanId'),
    name: string(from, 'name'),
    kind: enumerated(from, 'kind', 'SPAN_KIND_', SPAN_KINDS),
    startTimeUnixNano: nanos(from, 'startTimeUnixNano'),
    endTimeUnixNano: nanos(from, 'endTimeUnixNano'),
    ...readAttributes(from),
    events: list(from, 'events', readEvent),
    droppedEventsCount: uint32(from, 'droppedEventsCount'),
    links: list(from, 'links', readLink),
    droppedLinksCount: uint32(from, 'droppedLinksCount'),
    status: nonEmptyStatus(object(from, 'status', readStatus)),
    flags: uint32(from, 'flags'),
  };
}

function readEvent(from: JsonObject): SpanEvent {
  return {
    timeUnixNano: nanos(from, 'timeUnixNano'),
    name: string(from, 'name'),
    ...readAttributes(from),
  };
}

function readLink(from: JsonObject): SpanLink {
  return {
    traceId: id(from, 'traceId'),
    spanId: id(from, 'spanId'),
    traceState: string(from, 'traceState'),
    ...readAttributes(from),
    flags: uint32(from, 'flags'),
  };
}

function readStatus(from: JsonObject): SpanStatus {
  return {
    message: string(from, 'message'),
    code: enumerated(from, 'code', 'STATUS_CODE_', STATUS_CODES),
  };
}

function readLogRecord(from: JsonObject): LogRecord {
  return {
    timeUnixNano: nanos(from, 'timeUnixNano'),
    observedTimeUnixNano: nanos(from, 'observedTimeUnixNano'),
    severityNumber: uint32(from, 'severityNumber'),
    severityText: string(from, 'severityText'),
    body: object(from, 'body', (value) => readAnyValue(value, 0)),
    ...readAttributes(from),
    flags: uint32(from, 'flags'),
    traceId: id(from, 'traceId'),
    spanId: id(from, 'spanId'),
    eventName: string(from, 'eventName'),
  };
}

function readAttributes(from: JsonObject): Pick<Resource, 'attributes' | 'droppedAttributesCount'> {
  return {
    attributes: list(from, 'attributes', (one) => readKeyValue(one, 0)),
    droppedAttributesCount: uint32(from, 'droppedAttributesCount'),
  };
}

function readKeyValue(from: JsonObject, depth: number): KeyValue {
  return {
    key: string(from, 'key'),
    value: object(from, 'value', (value) => readAnyValue(value, depth)),
  };
}

/** Of several members the first in the protocol's order is read. A value whose only member is null is empty. */
function readAnyValue(from: JsonObject, depth: number): AnyValue {
  const stringValue = memberOf(from, 'stringValue');
  if (isPresent(stringValue)) return { stringValue: requireString(stringValue, 'stringValue') };
  const boolValue = memberOf(from, 'boolValue');
  if (isPresent(boolValue)) {
    if (typeof boolValue !== 'boolean') throw wrongType('boolValue', 'true or false');
    return { boolValue };
  }
  const intValue = memberOf(from, 'intValue');
  if (isPresent(intValue)) return readInteger(intValue);
  const doubleValue = memberOf(from, 'doubleValue');
  if (isPresent(doubleValue)) return { doubleValue: readDouble(doubleValue) };
  const array = object(from, 'arrayValue', (inner) =>
    depth < MAX_VALUE_DEPTH ? list(inner, 'values', (one) => readAnyValue(one, depth + 1)) : undefined,
  );
  if (isPresent(memberOf(from, 'arrayValue'))) return { arrayValue: array === undefined ? {} : { values: array } };
  const entries = object(from, 'kvlistValue', (inner) =>
    depth < MAX_VALUE_DEPTH ? list(inner, 'values', (one) => readKeyValue(one, depth + 1)) : undefined,
  );
  if (isPresent(memberOf(from, 'kvlistValue')))
    return { kvlistValue: entries === undefined ? {} : { values: entries } };
  const bytesValue = memberOf(from, 'bytesValue');
  if (isPresent(bytesValue)) return { bytesValue: readBytes(bytesValue) };
  return {};
}

/**
 * An integer beyond 64 bits is a double that its exporter wrote as an integer. One that no double holds becomes a text,
 * which keeps its digits.
 */
function readInteger(value: JsonValue): AnyValue {
  const text = typeof value === 'number' ? integerText(value) : value;
  if (typeof text !== 'string' || !/^-?\d+$/.test(text)) throw wrongType('intValue', 'an integer');
  const integer = BigInt(text);
  if (BigInt.asIntN(64, integer) === integer) return { intValue: integer.toString() };
  if (typeof value === 'number') return { doubleValue: value };
  return isDouble(text) ? { doubleValue: Number(text) } : { stringValue: text };
}

function integerText(value: number): string | undefined {
  return Number.isInteger(value) ? BigInt(value).toString() : undefined;
}

function readDouble(value: JsonValue): DoubleValue {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || (Number.isNaN(number) && value !== 'NaN'))
    throw wrongType('doubleValue', 'a number');
  return doubleOf(number);
}

function readBytes(value: JsonValue): string {
  const text = requireString(value, 'bytesValue');
  if (!/^[\w+/-]*={0,2}$/.test(text)) throw wrongType('bytesValue', 'base64');
  return Buffer.from(text, 'base64').toString('base64');
}

function isPresent(value: JsonValue | undefined): value is Exclude<JsonValue, null> {
  return value !== undefined && value !== null;
}

function requireString(value: JsonValue, member: string): string {
  if (typeof value !== 'string') throw wrongType(member, 'a text');
  return value;
}

function string(from: JsonObject, member: string): string | undefined {
  const value = memberOf(from, member);
  return isPresent(value) ? requireString(value, member) || undefined : undefined;
}

function strings(from: JsonObject, member: string): readonly string[] | undefined {
  const values = memberOf(from, member);
  if (!isPresent(values)) return undefined;
  if (!Array.isArray(values)) throw wrongType(member, 'a list');
  return values.length === 0 ? undefined : values.map((value) => requireString(value, member));
}

/** Hex of any case. Ids are validated later, so that an invalid id rejects only its span. */
function id(from: JsonObject, member: string): string | undefined {
  return string(from, member)?.toLowerCase();
}

function nanos(from: JsonObject, member: string): string | undefined {
  const value = memberOf(from, member);
  if (!isPresent(value)) return undefined;
  const text = typeof value === 'number' ? integerText(value) : value;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) throw wrongType(member, 'nanoseconds since 1970');
  const time = BigInt(text);
  if (time >= 1n << 64n) throw wrongType(member, 'nanoseconds since 1970');
  return time === 0n ? undefined : time.toString();
}

function uint32(from: JsonObject, member: string): number | undefined {
  const value = memberOf(from, member);
  if (!isPresent(value)) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
    throw wrongType(member, 'a whole number of 32 bits');
  }
  return number === 0 ? undefined : number;
}

/** The protocol requires numbers; names are accepted too. */
function enumerated(from: JsonObject, member: string, prefix: string, names: readonly string[]): number | undefined {
  const value = memberOf(from, member);
  if (typeof value === 'string' && value.startsWith(prefix)) {
    const number = names.indexOf(value.slice(prefix.length));
    return number > 0 ? number : undefined;
  }
  if (typeof value === 'number' && Number.isInteger(value) && value === (value | 0)) return value || undefined;
  return uint32(from, member);
}

function object<T>(from: JsonObject, member: string, read: (value: JsonObject) => T): T | undefined {
  const value = memberOf(from, member);
  if (!isPresent(value)) return undefined;
  if (!isJsonObject(value)) throw wrongType(member, 'an object');
  return read(value);
}

/** Undefined for an empty list: the protocol does not distinguish it from an absent one. */
function list<T>(from: JsonObject, member: string, read: (value: JsonObject) => T): readonly T[] | undefined {
  const values = memberOf(from, member);
  if (!isPresent(values)) return undefined;
  if (!Array.isArray(values)) throw wrongType(member, 'a list');
  if (values.length === 0) return undefined;
  return values.map((value) => {
    if (!isJsonObject(value)) throw wrongType(member, 'a list of objects');
    return read(value);
  });
}

function wrongType(member: string, expected: string): OpenrayError {
  return new OpenrayError('SerializationException', `${member} must be ${expected}`);
}
