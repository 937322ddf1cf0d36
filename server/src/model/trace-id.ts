import { OpenrayError } from '../errors.ts';

/** 32 lower-case hex digits, OpenTelemetry's form. X-Ray's `1-58406520-a006…` exists only on the wire. */
export type TraceId = string & { readonly __brand: 'TraceId' };

/** 16 lower-case hex digits: a segment, a subsegment or a span. */
export type EntityId = string & { readonly __brand: 'EntityId' };

const XRAY = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i;
const W3C = /^[0-9a-f]{32}$/i;
const ENTITY = /^[0-9a-f]{16}$/i;

/** Parses either wire form; undefined if `text` is neither. */
export function readTraceId(text: string): TraceId | undefined {
  const parts = XRAY.exec(text);
  if (parts) return `${parts[1]}${parts[2]}`.toLowerCase() as TraceId;
  return W3C.test(text) ? (text.toLowerCase() as TraceId) : undefined;
}

/** Parses either wire form. Throws InvalidRequestException if `text` is neither. */
export function parseTraceId(text: string): TraceId {
  const id = readTraceId(text);
  if (id === undefined) {
    throw new OpenrayError('InvalidRequestException', `Invalid trace id ${text.slice(0, 64)}: incorrect id format`);
  }
  return id;
}

/** X-Ray's wire form, `1-<8 hex>-<24 hex>`. */
export function formatTraceId(id: TraceId): string {
  return `1-${id.slice(0, 8)}-${id.slice(8)}`;
}

/** The id; undefined if `text` is not 16 hex digits. */
export function readEntityId(text: string): EntityId | undefined {
  return ENTITY.test(text) ? (text.toLowerCase() as EntityId) : undefined;
}
