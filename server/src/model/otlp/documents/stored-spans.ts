import type { Document } from '../../entity.ts';
import type {
  LogRecord,
  LogWithResource,
  Resource,
  ResourceLogs,
  ResourceSpans,
  Scope,
  Span,
  SpanWithResource,
} from '../../otlp-messages.ts';
import type { EntityId, TraceId } from '../../trace-id.ts';
import { restoreEntities } from '../round-trip/restore-entities.ts';
import type { IndexedKeys } from '../to-xray/annotations.ts';
import { attributesOf } from '../to-xray/attributes.ts';
import { segmentName } from '../to-xray/name.ts';
import { xrayResourceOf } from '../to-xray/resource.ts';
import { possibleParents } from '../to-xray/span-shape.ts';
import { decodeResourceSpans, decodeScopeSpans, decodeSpan } from '../wire/decode.ts';
import { encodeResource, encodeScope, encodeSpan } from '../wire/encode.ts';
import {
  bytesOf,
  decodeShared,
  encodeLabels,
  encodeShared,
  encodeSpanHead,
  splitStoredSpan,
} from '../wire/stored-span.ts';

type SpanDocument = Extract<Document, { format: 'otlp' }>;

/** The resource and scope that many spans or log records share. */
export type ResourceAndScope = {
  readonly resource: Resource | undefined;
  readonly resourceSchemaUrl: string | undefined;
  readonly scope: Scope | undefined;
  readonly scopeSchemaUrl: string | undefined;
};

export type Shared = Required<ResourceAndScope> & Pick<SpanWithResource, 'resource' | 'scope'>;

/** Makes documents of spans with the same resource and scope, which are encoded only once. */
export function spanWriter(
  { resource = {}, resourceSchemaUrl, scope = {}, scopeSchemaUrl }: ResourceAndScope,
  indexed: IndexedKeys,
): (span: Span, seq: number) => SpanDocument {
  const shared = { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
  const encoded = encodeShared({
    annotations: indexed,
    resourceSpans: encodeResource(resource, resourceSchemaUrl),
    scopeSpans: encodeScope(scope, scopeSchemaUrl),
  });
  const document = receivedSpanWriter({ ...shared, encoded, indexed });
  return (span, seq) => document(span, encodeSpan(span), seq);
}

/** What received spans share, and its bytes in a stored span. */
export type EncodedShared = Shared & { readonly encoded: Uint8Array; readonly indexed: IndexedKeys };

/** As `spanWriter`, with the bytes of the span as they were received. */
export function receivedSpanWriter({ encoded, indexed, ...shared }: EncodedShared) {
  return (span: Span, bytes: Uint8Array, seq: number): SpanDocument => {
    const service = segmentName(span, attributesOf(span.attributes), xrayResourceOf(shared.resource));
    const labels = encodeLabels({ service, kind: span.kind ?? 0, name: span.name ?? '' });
    const text = Buffer.concat([labels, encoded, encodeSpanHead(bytes.length), bytes]).toString('latin1');
    return spanDocument('otlp-protobuf', text, { ...shared, span }, indexed, seq);
  };
}

/** Parses a text of `spanWriter`. Spans with the same resource and scope share these objects, which are cached. */
export function readStoredSpan(text: string, seq: number): SpanDocument {
  const parts = splitStoredSpan(text);
  const { indexed, ...shared } = cached(parts.shared, () => {
    const { annotations, resourceSpans, scopeSpans } = decodeShared(parts.shared);
    const { resource = {}, schemaUrl: resourceSchemaUrl } = decodeResourceSpans(resourceSpans);
    const { scope = {}, schemaUrl: scopeSchemaUrl } = decodeScopeSpans(scopeSpans);
    const keys = annotations.length === 0 ? NO_KEYS : new Set(annotations);
    return { resource, resourceSchemaUrl, scope, scopeSchemaUrl, indexed: keys };
  });
  return spanDocument('otlp-protobuf', text, { ...shared, span: decodeSpan(bytesOf(parts.span)) }, indexed, seq);
}

/** By text. A trace has many spans and few resources: each resource is parsed, translated and kept once. */
const sharedCache = new Map<string, Shared & { readonly indexed: IndexedKeys }>();
const MAX_CACHED = 500;

function cached(text: string, read: () => Shared & { readonly indexed: IndexedKeys }) {
  const known = sharedCache.get(text);
  if (known !== undefined) return known;
  const shared = read();
  if (sharedCache.size >= MAX_CACHED) sharedCache.clear();
  sharedCache.set(text, shared);
  return shared;
}

/**
 * Older servers stored a span as a ResourceSpans of OTLP/JSON with this span only. `annotations` is an addition: the
 * keys that the setting made annotations when the span arrived.
 */
type JsonSpan = ResourceSpans & { readonly annotations?: readonly string[] };

/** Parses a span that an older server stored. */
export function readJsonSpan(text: string, seq: number): Document {
  const spanStart = text.indexOf(SPANS) + SPANS.length;
  if (spanStart < SPANS.length || !text.endsWith(PLAIN_END)) return parseJsonSpan(text, seq);
  const head = text.slice(0, spanStart);
  const { indexed, ...shared } = cached(head, () => ({
    ...resourceAndScopeOf(JSON.parse(`${head}${PLAIN_END}`)),
    indexed: NO_KEYS,
  }));
  const span: Span = JSON.parse(text.slice(spanStart, -PLAIN_END.length));
  return spanDocument('otlp', text, { ...shared, span }, indexed, seq);
}

/** Quotes inside texts are escaped, so this can only be the member. */
const SPANS = '"spans":[';
/** End of a text without `annotations`. */
const PLAIN_END = ']}]}';

function parseJsonSpan(text: string, seq: number): Document {
  const { annotations, ...stored }: JsonSpan = JSON.parse(text);
  const span = stored.scopeSpans?.[0]?.spans?.[0] as Span;
  const indexed = annotations === undefined ? NO_KEYS : new Set(annotations);
  return spanDocument('otlp', text, { ...resourceAndScopeOf(stored), span }, indexed, seq);
}

function resourceAndScopeOf({ resource = {}, schemaUrl: resourceSchemaUrl, scopeSpans }: ResourceSpans): Shared {
  const { scope = {}, schemaUrl: scopeSchemaUrl } = scopeSpans?.[0] ?? {};
  return { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
}

/** The document as `otlp`: a valid ResourceSpans of OTLP/JSON with this span only. */
export function spanJson({ span: { span, ...shared }, indexed }: SpanDocument): string {
  const [head, tail] = envelopeText(shared, 'scopeSpans', 'spans');
  const annotations = indexed.size === 0 ? '' : `,"annotations":${JSON.stringify([...indexed])}`;
  return `${head}${JSON.stringify(span)}${tail}${annotations}}`;
}

/** As `spanWriter`, for log records of exceptions. */
export function logWriter({
  resource = {},
  resourceSchemaUrl,
  scope = {},
  scopeSchemaUrl,
}: ResourceAndScope): (record: LogRecord, seq: number) => Document {
  const shared = { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
  const [head, tail] = envelopeText(shared, 'scopeLogs', 'logRecords');
  return (record, seq) => logDocument(`${head}${JSON.stringify(record)}${tail}}`, { ...shared, record }, seq);
}

/** Parses a text of `logWriter`. */
export function readStoredLog(text: string, seq: number): Document {
  const stored: ResourceLogs = JSON.parse(text);
  const { scope = {}, schemaUrl, logRecords = [] } = stored.scopeLogs?.[0] ?? {};
  const record = logRecords[0] as LogRecord;
  const { resource = {} } = stored;
  return logDocument(
    text,
    { resource, resourceSchemaUrl: stored.schemaUrl, scope, scopeSchemaUrl: schemaUrl, record },
    seq,
  );
}

const NO_KEYS: IndexedKeys = new Set();

function spanDocument(
  storedAs: 'otlp-protobuf' | 'otlp',
  text: string,
  span: SpanWithResource,
  indexed: IndexedKeys,
  seq: number,
): SpanDocument {
  return {
    format: 'otlp',
    storedAs,
    traceId: span.span.traceId as TraceId,
    id: span.span.spanId as EntityId,
    seq,
    text,
    entities: restoreEntities(span, { indexed }),
    span,
    indexed,
    // Only for the index: a reader of the trace knows the parents.
    alternativeEntities: () =>
      possibleParents(span.span, attributesOf(span.span.attributes), xrayResourceOf(span.resource)).flatMap((parent) =>
        restoreEntities(span, { indexed, parent }),
      ),
  };
}

function logDocument(text: string, log: LogWithResource, seq: number): Document {
  const { record } = log;
  return {
    format: 'otlp-log',
    traceId: record.traceId as TraceId,
    id: record.spanId as EntityId,
    seq,
    text,
    entities: [],
    log,
  };
}

function envelopeText(
  { resource, resourceSchemaUrl, scope, scopeSchemaUrl }: Required<ResourceAndScope>,
  scopes: 'scopeSpans' | 'scopeLogs',
  items: 'spans' | 'logRecords',
): readonly [head: string, tail: string] {
  const member = (name: string, text: string | undefined) =>
    text === undefined || text === '' ? '' : `"${name}":${JSON.stringify(text)},`;
  const head = `{"resource":${JSON.stringify(resource)},${member('schemaUrl', resourceSchemaUrl)}"${scopes}":[{"scope":${JSON.stringify(scope)},${member('schemaUrl', scopeSchemaUrl)}"${items}":[`;
  return [head, ']}]'];
}
