import type { Document, DocumentFormat } from '../model/entity.ts';
import { documentTextOf } from '../model/otlp/document-text.ts';
import { spansOfEntities } from '../model/otlp/residual.ts';
import { resourceSpansOf } from '../model/otlp/resource-spans.ts';
import { parseStored } from '../model/parse-stored.ts';

/** A document on its way out, as it is stored: its text takes the least memory, and often is what is sent. */
export type Parcel = { readonly format: DocumentFormat; readonly seq: number; readonly text: string };

export function parcelOf({ format, seq, text }: Document): Parcel {
  return { format, seq, text };
}

/** About what it takes in memory. */
export function parcelBytes({ text }: Parcel): number {
  return text.length + 100;
}

/** ExportTraceServiceRequest. Stored spans are messages of it as they are; X-Ray documents become spans. */
export function traceRequestOf(parcels: readonly Parcel[]): string {
  return `{"resourceSpans":[${parcels.flatMap(resourceSpansTexts).join(',')}]}`;
}

/** ExportLogsServiceRequest, of stored log records. */
export function logRequestOf(parcels: readonly Parcel[]): string {
  return `{"resourceLogs":[${parcels.map(({ text }) => text).join(',')}]}`;
}

function resourceSpansTexts({ format, text, seq }: Parcel): readonly string[] {
  if (format === 'otlp') return [text];
  return parseStored(format, text, seq).flatMap(({ entities }) => {
    const segment = entities[0]?.fields ?? {};
    const places = spansOfEntities(entities.map((entity) => ({ ...entity, segment, isFromSpan: false })));
    return resourceSpansOf(places).map((resourceSpans) => JSON.stringify(resourceSpans));
  });
}

/**
 * Segment documents. A span becomes what any translator would make of it, one document or two: X-Ray's 64 KB have no
 * room for what only openray could read back.
 */
export function segmentTextsOf({ format, text, seq }: Parcel): readonly string[] {
  if (format === 'xray') return [text];
  return parseStored(format, text, seq).flatMap((document) =>
    document.format === 'otlp' ? document.entities.map(({ fields }) => documentTextOf(fields, document.span.span)) : [],
  );
}
