import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue, readObject } from '../json.ts';
import { ROUND_TRIP_ATTRIBUTE, ROUND_TRIP_NAMESPACE } from './any-value.ts';
import type { Resource, Span } from './types.ts';

/** Of a span and its resource, without what travels along: it changes when somebody on the way edits what all can see. */
export function spanFingerprint(resource: Resource, span: Span): string {
  const { attributes = [], ...members } = span;
  const own = attributes.filter(({ key }) => key !== ROUND_TRIP_ATTRIBUTE);
  return hashed([byKey(resource.attributes), byKey(own), asJson(members)]);
}

/** Of a document, likewise. Where it stands is free, and times are told to the microsecond. */
export function documentFingerprint(fields: JsonObject): string {
  const { id, trace_id, parent_id, type, subsegments, start_time, end_time, metadata, ...members } = fields;
  const { [ROUND_TRIP_NAMESPACE]: _rest, ...spaces } = readObject(metadata) ?? {};
  return hashed([micros(start_time), micros(end_time), spaces, members]);
}

const byKey = (list: Resource['attributes'] = []): JsonValue => list.map((one) => canonical(asJson(one))).sort();
const micros = (seconds: JsonValue | undefined): JsonValue => Math.round(Number(seconds ?? 0) * 1e6);
const asJson = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value));

function hashed(value: JsonValue): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

/** One text for all orders of members. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key] as JsonValue)}`).join(',')}}`;
}
