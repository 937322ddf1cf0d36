import type { Document } from '../../entity.ts';
import type { EntityId, TraceId } from '../../trace-id.ts';
import type {
  LogRecord,
  LogWithResource,
  Resource,
  ResourceLogs,
  ResourceSpans,
  Scope,
  Span,
  SpanWithResource,
} from '../types.ts';
import { spanText } from '../wire/span-text.ts';
import type { IndexedKeys } from './annotations.ts';
import { alternativeEntitiesOf, spanToEntities } from './span-to-entities.ts';

/**
 * A span is stored as a legal message of OTLP/JSON: a ResourceSpans that holds it alone. `annotations`, beside what the
 * protocol knows, are the keys that the setting made annotations when the span arrived.
 */
type StoredSpan = ResourceSpans & { readonly annotations?: readonly string[] };

/** Where spans or log records stand: all that is said once for many of them. */
export type ResourceAndScope = {
  readonly resource: Resource | undefined;
  readonly resourceSchemaUrl: string | undefined;
  readonly scope: Scope | undefined;
  readonly scopeSchemaUrl: string | undefined;
};

/** Makes documents of spans that share their resource and scope, whose text is printed only once. */
export function spanWriter(
  { resource = {}, resourceSchemaUrl, scope = {}, scopeSchemaUrl }: ResourceAndScope,
  indexed: IndexedKeys,
): (span: Span, seq: number) => Document {
  const around = { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
  const [head, tail] = envelopeText(around, 'scopeSpans', 'spans');
  const end = indexed.size === 0 ? `${tail}}` : `${tail},"annotations":${JSON.stringify([...indexed])}}`;
  return (span, seq) => spanDocument(`${head}${spanText(span)}${end}`, { ...around, span }, indexed, seq);
}

/** The same for log records that tell of an exception of a span. */
export function logWriter({
  resource = {},
  resourceSchemaUrl,
  scope = {},
  scopeSchemaUrl,
}: ResourceAndScope): (record: LogRecord, seq: number) => Document {
  const around = { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
  const [head, tail] = envelopeText(around, 'scopeLogs', 'logRecords');
  return (record, seq) => logDocument(`${head}${JSON.stringify(record)}${tail}}`, { ...around, record }, seq);
}

/** What `spanWriter` has made, read again. Spans that were written side by side share their resource and scope again. */
export function readStoredSpan(text: string, seq: number): Document {
  const spanStart = text.indexOf(SPANS) + SPANS.length;
  if (spanStart < SPANS.length || !text.endsWith(PLAIN_END)) return parseStoredSpan(text, seq);
  const head = text.slice(0, spanStart);
  let around = resourceAndScopeCache.get(head);
  if (around === undefined) {
    around = resourceAndScopeOf(JSON.parse(`${head}${PLAIN_END}`));
    if (resourceAndScopeCache.size >= MAX_CACHED) resourceAndScopeCache.clear();
    resourceAndScopeCache.set(head, around);
  }
  const span: Span = JSON.parse(text.slice(spanStart, -PLAIN_END.length));
  return spanDocument(text, { ...around, span }, NO_KEYS, seq);
}

/** Quotes inside of texts are escaped, so that this is the member and nothing else. */
const SPANS = '"spans":[';
/** Of a text that has no `annotations`. */
const PLAIN_END = ']}]}';

/**
 * A trace has many spans and few resources: with their texts as keys they are parsed, looked at and held in memory once.
 */
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

/** What `logWriter` has made, read again. */
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
    entities: spanToEntities(span, { indexed }),
    span,
    indexed,
    // For writing only: whoever reads a trace knows the parents.
    alternativeEntities: () => alternativeEntitiesOf(span, indexed),
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
