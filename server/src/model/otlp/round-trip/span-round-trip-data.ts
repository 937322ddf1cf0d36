import { type JsonObject, readObject } from '../../json.ts';
import { asJson } from '../../json-difference.ts';
import type { KeyValue, Resource, Scope, SpanEvent, SpanLink, SpanStatus } from '../../otlp-messages.ts';
import { ROUND_TRIP_NAMESPACE, ROUND_TRIP_VERSION } from '../round-trip-keys.ts';

/**
 * What a document cannot express of the span that it was made from. It is in the document's metadata, with members as
 * OTLP/JSON has them. Without it the document means what any other translator would make of it.
 */
export type SpanRoundTripData = {
  readonly v: number;
  /** Fingerprint of the document without this data: an edited document has another, and its edits win. */
  readonly h?: string | undefined;
  /** The document was made for the service around a call: there is no span for it. */
  readonly synthetic?: true | undefined;
  readonly name?: string | undefined;
  readonly kind?: number | undefined;
  readonly flags?: number | undefined;
  readonly state?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly status?: SpanStatus | undefined;
  /** Attributes that replace all translated attributes of the same key. */
  readonly attrs?: readonly KeyValue[] | undefined;
  /** Keys of translated attributes that the span did not have. */
  readonly drop?: readonly string[] | undefined;
  readonly events?: readonly SpanEvent[] | undefined;
  readonly links?: readonly SpanLink[] | undefined;
  /** Counts of dropped attributes, events and links. */
  readonly dropped?: readonly number[] | undefined;
  readonly scope?: (Scope & { readonly schemaUrl?: string | undefined }) | undefined;
  readonly resource?: (Resource & { readonly schemaUrl?: string | undefined }) | undefined;
};

export function withRoundTripData(fields: JsonObject, data: SpanRoundTripData): JsonObject {
  const plain = asJson(data) as JsonObject;
  return { ...fields, metadata: { ...readObject(fields.metadata), [ROUND_TRIP_NAMESPACE]: plain } };
}

/** Undefined for a document that was not made from a span, or by another version of the translation. */
export function roundTripDataIn(fields: JsonObject): SpanRoundTripData | undefined {
  const data = readObject(readObject(fields.metadata)?.[ROUND_TRIP_NAMESPACE]);
  return data?.v === ROUND_TRIP_VERSION ? (data as unknown as SpanRoundTripData) : undefined;
}
