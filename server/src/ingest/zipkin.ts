import * as z from 'zod';
import { issueSentence, OpenrayError } from '../errors.ts';
import { parseJson, printJson } from '../model/exact-json.ts';
import { isNumber } from '../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { anyValueOf } from '../model/otlp/any-value.ts';
import { serverSideId } from '../model/otlp/to-xray/derived-ids.ts';
import type { ResourceSpans, TracesData } from '../model/otlp-messages.ts';
import { FLAG, type KeyValue, KIND, type Span, type SpanEvent, STATUS } from '../model/otlp-messages.ts';
import type { Rejection } from '../model/parse-document.ts';
import { accept } from './accept.ts';
import { acceptTraces, type OtlpContext, type PartialSuccess } from './otlp.ts';

/**
 * Stores the spans of a request. Resolves once the valid ones are in ClickHouse; rejected ones are counted.
 * Throws as `readZipkin` and `acceptTraces` do.
 */
export async function acceptZipkin(text: string, context: OtlpContext): Promise<PartialSuccess> {
  const { data, rejections } = readZipkin(text);
  const { rejected, message } = await acceptTraces(data, 'zipkin', context);
  await accept(rejections, 'zipkin', context);
  return { rejected: rejected + rejections.length, message };
}

/** Valid spans, and rejections of spans without a start time. */
export type ZipkinSpans = { readonly data: TracesData; readonly rejections: readonly Rejection[] };

const hexId = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{1,${digits}}$`), `must be up to ${digits} hex digits`)
    .transform((id) => id.toLowerCase().padStart(digits, '0'));
const microseconds = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const endpoint = z.object({
  serviceName: optional(z.string()),
  ipv4: optional(z.string()),
  ipv6: optional(z.string()),
  port: optional(z.number().int()),
});

const zipkinSpan = z.object({
  traceId: hexId(32),
  id: hexId(16),
  parentId: optional(hexId(16)),
  name: optional(z.string()),
  kind: optional(z.enum(['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'])),
  timestamp: optional(microseconds),
  duration: optional(microseconds),
  debug: optional(z.boolean()),
  shared: optional(z.boolean()),
  localEndpoint: optional(endpoint),
  remoteEndpoint: optional(endpoint),
  annotations: optional(z.array(z.object({ timestamp: microseconds, value: z.string() }))),
  tags: optional(z.record(z.string(), z.string())),
});

type ZipkinSpan = z.output<typeof zipkinSpan>;

/**
 * Translates Zipkin's v2 JSON to OpenTelemetry's spans. Tags that OpenTelemetry's own Zipkin exporters add become the
 * fields that they were made from; every other tag is an attribute.
 * Throws SerializationException, naming the member, when the text is not a list of spans.
 * @see https://zipkin.io/zipkin-api/#/default/post_spans
 */
export function readZipkin(text: string): ZipkinSpans {
  const spans = parse(text);
  const isTimed = ({ timestamp, annotations = [] }: ZipkinSpan) => timestamp !== undefined || annotations.length > 0;
  const serverIds = serverSideIds(spans);
  return {
    data: { resourceSpans: spans.filter(isTimed).map((span) => resourceSpansOf(span, serverIds)) },
    rejections: spans
      .filter((span) => !isTimed(span))
      .map(({ id }) => ({ ok: false, id, code: 'MissingStartTime', message: 'the span has no timestamp' })),
  };
}

function parse(text: string): readonly ZipkinSpan[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OpenrayError('SerializationException', `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = z.array(zipkinSpan, { error: 'the body must be a list of spans' }).safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String).join('.') ?? '';
  const reason = issueSentence(issue);
  throw new OpenrayError('SerializationException', path === '' ? reason : `${path}: ${reason}`);
}

/**
 * In Zipkin both sides of a call may be one span: the server reuses the client's id and sets `shared`. Here the server
 * side gets an id of its own, and the client side as its parent. Ids by trace, shared id and service, since children of a
 * server side name the shared id as their parent. Children in other requests move when the trace is read, see
 * `separateSharedIds`.
 */
function serverSideIds(spans: readonly ZipkinSpan[]): ReadonlyMap<string, string> {
  return new Map(
    spans
      .filter(isServerSide)
      .map((span) => [serverSideKey(span.traceId, span.id, span), serverSideId(span.traceId, span.id)] as const),
  );
}

function isServerSide({ shared, kind }: ZipkinSpan): boolean {
  return shared === true && kind === 'SERVER';
}

function serverSideKey(traceId: string, id: string, { localEndpoint }: ZipkinSpan): string {
  return `${traceId} ${id} ${localEndpoint?.serviceName ?? ''}`;
}

function resourceSpansOf(zipkin: ZipkinSpan, serverIds: ReadonlyMap<string, string>): ResourceSpans {
  const tags = new Map(Object.entries(zipkin.tags ?? {}));
  const extract = (key: string) => {
    const value = tags.get(key);
    tags.delete(key);
    return value;
  };
  const extractCount = (key: string) => Number(extract(key) ?? 0) || undefined;
  const traceState = extract('w3c.tracestate');
  const scopeName = extract('otel.scope.name') ?? extract('otel.library.name');
  const scopeVersion = extract('otel.scope.version') ?? extract('otel.library.version');
  const status = extractStatus(tags, extract);
  const dropped = {
    droppedAttributesCount: extractCount('otel.dropped_attributes_count'),
    droppedEventsCount: extractCount('otel.dropped_events_count'),
    droppedLinksCount: extractCount('otel.dropped_links_count'),
  };
  const isFromOpenTelemetry = tags.has('telemetry.sdk.name');
  const resourceTags = [...tags].filter(([key]) => isFromOpenTelemetry && isResourceKey(key));
  for (const [key] of resourceTags) tags.delete(key);
  const serviceName = zipkin.localEndpoint?.serviceName;
  const resource = new Map(resourceTags);
  if (serviceName !== undefined && serviceName !== '') resource.set('service.name', serviceName);
  const attributes = [...stringAttributes(tags), ...endpointAttributes(zipkin)];
  const span: Span = {
    ...spanIdsOf(zipkin, serverIds),
    traceState,
    flags: FLAG.sampled,
    name: zipkin.name,
    kind: zipkin.kind === undefined ? KIND.internal : KIND[KINDS[zipkin.kind]],
    ...timesOf(zipkin),
    attributes: nonEmpty(attributes),
    events: nonEmpty((zipkin.annotations ?? []).map(eventOf)),
    ...dropped,
    status,
  };
  return {
    resource: { attributes: nonEmpty(stringAttributes(resource)) },
    scopeSpans: [{ scope: { name: scopeName, version: scopeVersion }, spans: [span] }],
  };
}

const KINDS = { CLIENT: 'client', SERVER: 'server', PRODUCER: 'producer', CONSUMER: 'consumer' } as const;

function spanIdsOf(
  zipkin: ZipkinSpan,
  serverIds: ReadonlyMap<string, string>,
): Pick<Span, 'traceId' | 'spanId'> & Partial<Span> {
  const { traceId, id, parentId } = zipkin;
  if (isServerSide(zipkin)) return { traceId, spanId: serverSideId(traceId, id), parentSpanId: id };
  const parentSpanId =
    parentId === undefined ? undefined : (serverIds.get(serverSideKey(traceId, parentId, zipkin)) ?? parentId);
  return { traceId, spanId: id, parentSpanId: parentSpanId === id ? undefined : parentSpanId };
}

/** Without a duration, a sent or received message ends when it starts; any other span is in progress. */
function timesOf({ timestamp, duration, annotations = [], kind }: ZipkinSpan): Partial<Span> {
  const startUs = timestamp ?? Math.min(...annotations.map((annotation) => annotation.timestamp));
  const isMessage = kind === 'PRODUCER' || kind === 'CONSUMER';
  const endUs = duration === undefined ? (isMessage ? startUs : undefined) : startUs + duration;
  return { startTimeUnixNano: nanos(startUs), endTimeUnixNano: endUs === undefined ? undefined : nanos(endUs) };
}

const nanos = (us: number) => (us === 0 ? undefined : `${us}000`);

/** In Zipkin the tag `error` marks a failure, with any value. */
function extractStatus(
  tags: ReadonlyMap<string, string>,
  extract: (key: string) => string | undefined,
): Span['status'] {
  const code = extract('otel.status_code');
  const description = extract('otel.status_description');
  if (code === 'OK') return { code: STATUS.ok };
  if (code !== 'ERROR' && !tags.has('error')) return undefined;
  const error = extract('error');
  const message = description ?? (error === 'true' || error === '' ? undefined : error);
  return { code: STATUS.error, message };
}

/** Prefixes of tags that describe a process and not one of its spans. */
const RESOURCE_KEYS =
  /^(telemetry|service|host|process|os|k8s|container|deployment|device|webengine)\.|^cloud\.(provider|platform|account|availability_zone|resource_id)|^aws\.(ecs|eks|log)\./;

function isResourceKey(key: string): boolean {
  return RESOURCE_KEYS.test(key) && key !== 'service.peer.name';
}

function endpointAttributes({ localEndpoint, remoteEndpoint }: ZipkinSpan): readonly KeyValue[] {
  const address = localEndpoint?.ipv4 ?? localEndpoint?.ipv6;
  const peer = remoteEndpoint?.ipv4 ?? remoteEndpoint?.ipv6;
  return [
    ...stringAttribute('network.local.address', address),
    ...portAttribute('network.local.port', localEndpoint?.port),
    ...stringAttribute('peer.service', remoteEndpoint?.serviceName),
    ...stringAttribute('network.peer.address', peer),
    ...portAttribute('network.peer.port', remoteEndpoint?.port),
  ];
}

const stringAttribute = (key: string, value: string | undefined): readonly KeyValue[] =>
  value === undefined || value === '' ? [] : [{ key, value: { stringValue: value } }];
const portAttribute = (key: string, value: number | undefined): readonly KeyValue[] =>
  value === undefined || value === 0 ? [] : [{ key, value: { intValue: String(value) } }];
const stringAttributes = (entries: ReadonlyMap<string, string>): readonly KeyValue[] =>
  Array.from(entries, ([key, value]) => ({ key, value: { stringValue: value } }));
const nonEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);

/** OpenTelemetry's exporters write an event with attributes as `"name": {…}`. */
const EVENT_WITH_ATTRIBUTES = /^"(?:[^"\\]|\\.)*"\s*:\s*\{/;

function eventOf({ timestamp, value }: { readonly timestamp: number; readonly value: string }): SpanEvent {
  const [name, attributes] = (EVENT_WITH_ATTRIBUTES.test(value) && namedAttributes(value)) || [value, []];
  return { timeUnixNano: nanos(timestamp), name: name === '' ? undefined : name, attributes: nonEmpty(attributes) };
}

function namedAttributes(value: string): readonly [string, readonly KeyValue[]] | undefined {
  let members: JsonObject;
  try {
    members = parseJson(`{${value}}`) as JsonObject;
  } catch {
    return undefined;
  }
  const [[name, attributes] = ['', undefined], ...others] = Object.entries(members);
  if (others.length > 0 || !isJsonObject(attributes)) return undefined;
  return [name, Object.entries(attributes).map(([key, plain]) => ({ key, value: scalar(plain) }))];
}

function scalar(plain: JsonValue): KeyValue['value'] {
  const isScalar = typeof plain === 'string' || typeof plain === 'boolean' || isNumber(plain);
  return isScalar ? anyValueOf(plain) : { stringValue: printJson(plain) };
}
