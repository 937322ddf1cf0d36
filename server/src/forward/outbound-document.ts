import type { Document, DocumentFormat } from '../model/entity.ts';
import { spanJson } from '../model/otlp/documents/stored-spans.ts';
import { entitiesToSpans } from '../model/otlp/round-trip/entities-to-spans.ts';
import { exactDocumentText } from '../model/otlp/round-trip/exact-document-text.ts';
import { type EncodedSpans, encodeLogs, encodeResource, encodeScope, encodeSpans } from '../model/otlp/wire/encode.ts';
import { resourceSpansOf } from '../model/otlp/wire/resource-spans.ts';
import type { ResourceSpans, Scope } from '../model/otlp-messages.ts';
import { parseStored } from '../model/parse-stored.ts';

/** A document that waits to be forwarded. `bytes` is its approximate size in memory. */
export type OutboundDocument = { readonly bytes: number };

/** A document as JSON, which some backends receive unchanged. */
export type OutboundText = OutboundDocument & {
  readonly format: DocumentFormat;
  readonly seq: number;
  readonly text: string;
};

/** OTLP in protobuf: smaller than the text, and not parsed again before it is sent. */
export type OutboundSpans = OutboundDocument & { readonly groups: readonly EncodedSpans[] };

export type OutboundLog = OutboundDocument & { readonly message: Uint8Array };

const OVERHEAD_BYTES = 100;

export function toOutboundText(document: Document): OutboundText {
  const { format, seq } = document;
  const text = document.format === 'otlp' ? spanJson(document) : document.text;
  return { format, seq, text, bytes: text.length + OVERHEAD_BYTES };
}

/** An ExportTraceServiceRequest in JSON. Spans are parts of it unchanged; X-Ray documents become spans. */
export function traceRequestText(documents: readonly OutboundText[]): string {
  return `{"resourceSpans":[${documents.flatMap(resourceSpansTexts).join(',')}]}`;
}

/** An ExportLogsServiceRequest in JSON, of stored log records. */
export function logRequestText(documents: readonly OutboundText[]): string {
  return `{"resourceLogs":[${documents.map(({ text }) => text).join(',')}]}`;
}

function resourceSpansTexts({ format, text, seq }: OutboundText): readonly string[] {
  if (format === 'otlp') return [text];
  return parseStored(format, text, seq).flatMap((document) =>
    resourceSpansOfXRay(document).map((resourceSpans) => JSON.stringify(resourceSpans)),
  );
}

function resourceSpansOfXRay({ entities }: Document): readonly ResourceSpans[] {
  const segment = entities[0]?.fields ?? {};
  return resourceSpansOf(entitiesToSpans(entities.map((entity) => ({ ...entity, segment, isFromSpan: false }))));
}

/** Spans share resources and scopes: each is encoded once and held once. */
const encodedResources = new WeakMap<object, Uint8Array>();
const encodedScopes = new WeakMap<object, Uint8Array>();

export function toOutboundSpans(document: Document): OutboundSpans {
  const groups = document.format === 'otlp' ? [encodedSpan(document.span)] : encodedSegment(document);
  return { groups, bytes: groups.reduce((sum, { spans }) => sum + spans.length, OVERHEAD_BYTES) };
}

type ReceivedSpan = Extract<Document, { format: 'otlp' }>['span'];

function encodedSpan({ resource, resourceSchemaUrl, scope, scopeSchemaUrl, span }: ReceivedSpan): EncodedSpans {
  return {
    resource: encodeOnce(encodedResources, resource, () => encodeResource(resource, resourceSchemaUrl)),
    scope: encodeOnce(encodedScopes, scope, () => encodeScope(scope, scopeSchemaUrl)),
    spans: encodeSpans([span]),
  };
}

const NO_SCOPE: Scope = {};

function encodedSegment(document: Document): readonly EncodedSpans[] {
  return resourceSpansOfXRay(document).flatMap(({ resource = {}, schemaUrl, scopeSpans = [] }) => {
    const encoded = encodeResource(resource, schemaUrl);
    return scopeSpans.map(({ scope = NO_SCOPE, schemaUrl: scopeSchemaUrl, spans = [] }) => ({
      resource: encoded,
      scope: encodeScope(scope, scopeSchemaUrl),
      spans: encodeSpans(spans),
    }));
  });
}

function encodeOnce(cache: WeakMap<object, Uint8Array>, key: object, encode: () => Uint8Array): Uint8Array {
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  const encoded = encode();
  cache.set(key, encoded);
  return encoded;
}

/** A log record as an ExportLogsServiceRequest. Several of them, concatenated, are one such request. */
export function toOutboundLog(document: Document): OutboundLog {
  const message = document.format === 'otlp-log' ? encodedLog(document.log) : new Uint8Array();
  return { message, bytes: message.length + OVERHEAD_BYTES };
}

function encodedLog({
  resource,
  resourceSchemaUrl,
  scope,
  scopeSchemaUrl,
  record,
}: Extract<Document, { format: 'otlp-log' }>['log']): Uint8Array {
  const scopeLogs = [{ scope, logRecords: [record], schemaUrl: scopeSchemaUrl }];
  return encodeLogs({ resourceLogs: [{ resource, scopeLogs, schemaUrl: resourceSchemaUrl }] });
}

/**
 * Segment documents for X-Ray. A span becomes one or two documents without the data that only openray could read back:
 * X-Ray's limit is 64 KB a document.
 */
export function segmentTextsOf({ format, text, seq }: OutboundText): readonly string[] {
  if (format === 'xray') return [text];
  return parseStored(format, text, seq).flatMap((document) =>
    document.format === 'otlp'
      ? document.entities.map(({ fields }) => exactDocumentText(fields, document.span.span))
      : [],
  );
}
