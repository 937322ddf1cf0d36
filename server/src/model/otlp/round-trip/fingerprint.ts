import { createHash } from 'node:crypto';
import { printJson } from '../../exact-json.ts';
import { isJsonObject, type JsonObject, type JsonValue, readObject } from '../../json.ts';
import { asJson } from '../../json-difference.ts';
import type { Resource, Span } from '../../otlp-messages.ts';
import { ROUND_TRIP_ATTRIBUTE, ROUND_TRIP_NAMESPACE } from '../round-trip-keys.ts';

/** Fingerprint of a span and its resource, without the round trip attribute: an edit on the way changes it. */
export function spanFingerprint(resource: Resource, span: Span): string {
  const { attributes = [], ...members } = span;
  const own = attributes.filter(({ key }) => key !== ROUND_TRIP_ATTRIBUTE);
  return hashed([byKey(resource.attributes), byKey(own), asJson(members) ?? null]);
}

/** Fingerprint of a document, without its round trip data and its ids. Times are rounded to microseconds. */
export function documentFingerprint(fields: JsonObject): string {
  const { id, trace_id, parent_id, type, subsegments, start_time, end_time, metadata, ...members } = fields;
  const { [ROUND_TRIP_NAMESPACE]: _data, ...namespaces } = readObject(metadata) ?? {};
  return hashed([micros(start_time), micros(end_time), namespaces, members]);
}

const byKey = (list: Resource['attributes'] = []): JsonValue =>
  list.map((one) => canonical(asJson(one) ?? null)).sort();
const micros = (seconds: JsonValue | undefined): JsonValue => Math.round(Number(seconds ?? 0) * 1e6);

function hashed(value: JsonValue): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

/** JSON with sorted members: equal for equal values. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return printJson(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key] as JsonValue)}`).join(',')}}`;
}
