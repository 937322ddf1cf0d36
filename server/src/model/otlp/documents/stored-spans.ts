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
import { xrayResourceOf } from '../to-xray/resource.ts';
import { possibleParents } from '../to-xray/span-shape.ts';
import { spanText } from '../wire/span-text.ts';

/**
 * A span is stored as a valid message of OTLP/JSON: a ResourceSpans with this span only. `annotations` is an addition:
 * the keys that the setting made annotations when the span arrived.
 */
type StoredSpan = ResourceSpans & { readonly annotations?: readonly string[] };

/** The resource and scope that many spans or log records share. */
export type ResourceAndScope = {
  readonly resource: Resource | undefined;
  readonly resourceSchemaUrl: string | undefined;
  readonly scope: Scope | undefined;
  readonly scopeSchemaUrl: string | undefined;
};

/** Makes documents of spans with the same resource and scope, which are printed only once. */
export function spanWriter(
  { resource = {}, resourceSchemaUrl, scope = {}, scopeSchemaUrl }: ResourceAndScope,
  indexed: IndexedKeys,
): (span: Span, seq: number) => Document {
  const shared = { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
  const [head, tail] = envelopeText(shared, 'scopeSpans', 'spans');
  const end = indexed.size === 0 ? `${tail}}` : `${tail},"annotations":${JSON.stringify([...indexed])}}`;
  return (span, seq) => spanDocument(`${head}${spanText(span)}${end}`, { ...shared, span }, indexed, seq);
}

/** The same for log records of exceptions. */
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

/** Parses a text of `spanWriter`. Spans with the same resource and scope share these objects, which are cached. */
export function readStoredSpan(text: string, seq: number): Document {
  const spanStart = text.indexOf(SPANS) + SPANS.length;
  if (spanStart < SPANS.length || !text.endsWith(PLAIN_END)) return parseStoredSpan(text, seq);
  const head = text.slice(0, spanStart);
  let shared = resourceAndScopeCache.get(head);
  if (shared === undefined) {
    shared = resourceAndScopeOf(JSON.parse(`${head}${PLAIN_END}`));
    if (resourceAndScopeCache.size >= MAX_CACHED) resourceAndScopeCache.clear();
    resourceAndScopeCache.set(head, shared);
  }
  const span: Span = JSON.parse(text.slice(spanStart, -PLAIN_END.length));
  return spanDocument(text, { ...shared, span }, NO_KEYS, seq);
}

/** Quotes inside texts are escaped, so this can only be the member. */
const SPANS = '"spans":[';
/** End of a text without `annotations`. */
const PLAIN_END = ']}]}';

/** By text. A trace has many spans and few resources: each resource is parsed, translated and kept once. */
const resourceAndScopeCache = new Map<
  string,
  Required<ResourceAndScope> & Pick<SpanWithResource, 'resource' | 'scope'>
>();
const MAX_CACHED = 500;

function parseStoredSpan(text: string, seq: number): Document {
  const { annotations, ...stored }: StoredSpan = JSON.parse(text);
  const span = stored.scopeSpans?.[0]?.spans?.[0] as Span;
  const indexed = annotations === undefined ? NO_KEYS : new Set(annotations);
  return spanDocument(text, { ...resourceAndScopeOf(stored), span }, indexed, seq);
}

function resourceAndScopeOf({ resource = {}, schemaUrl: resourceSchemaUrl, scopeSpans }: ResourceSpans) {
  const { scope = {}, schemaUrl: scopeSchemaUrl } = scopeSpans?.[0] ?? {};
  return { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
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

function spanDocument(text: string, span: SpanWithResource, indexed: IndexedKeys, seq: number): Document {
  return {
    format: 'otlp',
    traceId: span.span.traceId as TraceId,
    id: span.span.spanId as EntityId,
    seq,
    text,
    entities: restoreEntities(span, { indexed }),
    span,
    indexed,
    // Only for the index: a reader of the trace knows the parents.
    alternativeEntities: () =>
      possibleParents(span.span, xrayResourceOf(span.resource)).flatMap((parent) =>
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
