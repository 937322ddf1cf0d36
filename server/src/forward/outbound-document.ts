import type { Document, DocumentFormat } from '../model/entity.ts';
import { entitiesToSpans } from '../model/otlp/round-trip/entities-to-spans.ts';
import { exactDocumentText } from '../model/otlp/round-trip/exact-document-text.ts';
import type { ResourceSpans, Scope } from '../model/otlp/types.ts';
import { type EncodedSpans, encodeLogs, encodeResource, encodeScope, encodeSpans } from '../model/otlp/wire/encode.ts';
import { resourceSpansOf } from '../model/otlp/wire/resource-spans.ts';
import { parseStored } from '../model/parse-stored.ts';

/** A document on its way out. `bytes` is about what it takes in memory. */
export type OutboundDocument = { readonly bytes: number };

/** As it is stored: often that is what is sent. */
export type OutboundText = OutboundDocument & {
  readonly format: DocumentFormat;
  readonly seq: number;
  readonly text: string;
};

/** As OTLP in protobuf, which is smaller and has not to be read again. */
export type OutboundSpans = OutboundDocument & { readonly groups: readonly EncodedSpans[] };

export type OutboundLog = OutboundDocument & { readonly message: Uint8Array };

const OVERHEAD_BYTES = 100;

export function toOutboundText({ format, seq, text }: Document): OutboundText {
  return { format, seq, text, bytes: text.length + OVERHEAD_BYTES };
}

/** An ExportTraceServiceRequest in JSON. Stored spans are messages of it as they are; X-Ray documents become spans. */
export function traceRequestText(parcels: readonly OutboundText[]): string {
  return `{"resourceSpans":[${parcels.flatMap(resourceSpansTexts).join(',')}]}`;
}

/** An ExportLogsServiceRequest in JSON, of stored log records. */
export function logRequestText(parcels: readonly OutboundText[]): string {
  return `{"resourceLogs":[${parcels.map(({ text }) => text).join(',')}]}`;
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

/** What many spans share is encoded once, and held once. */
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

function encodeOnce(known: WeakMap<object, Uint8Array>, of: object, encode: () => Uint8Array): Uint8Array {
  const found = known.get(of);
  if (found !== undefined) return found;
  const encoded = encode();
  known.set(of, encoded);
  return encoded;
}

/** A log record as an ExportLogsServiceRequest; any number of them, one behind the other, are one such request. */
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
 * Segment documents. A span becomes what any translator would make of it, one document or two: X-Ray's 64 KB have no
 * room for what only openray could read back.
 */
export function segmentTextsOf({ format, text, seq }: OutboundText): readonly string[] {
  if (format === 'xray') return [text];
  return parseStored(format, text, seq).flatMap((document) =>
    document.format === 'otlp'
      ? document.entities.map(({ fields }) => exactDocumentText(fields, document.span.span))
      : [],
  );
}
