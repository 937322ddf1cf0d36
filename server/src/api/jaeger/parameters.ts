import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { readTraceId, type TraceId } from '../../model/trace-id.ts';

const US_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 0.001,
  us: 1,
  µs: 1,
  μs: 1,
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3_600e6,
};
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/** Microseconds of a duration in Go's format, such as `1h15m30.5s`; undefined for any other text. */
export function readDurationUs(text: string): number | undefined {
  if (text === '0') return 0;
  let us = 0;
  let end = 0;
  DURATION_PART.lastIndex = 0;
  for (let part = DURATION_PART.exec(text); part !== null; part = DURATION_PART.exec(text)) {
    us += Number(part[1]) * (US_PER_UNIT[part[2] ?? ''] ?? 0);
    end = DURATION_PART.lastIndex;
  }
  return end > 0 && end === text.length ? us : undefined;
}

const tagMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

/** Reads `tag=key:value` and `tags={"key":"value"}`; both may repeat. Throws InvalidRequestException. */
export function readTags(simple: readonly string[], json: readonly string[]): Readonly<Record<string, string>> {
  const pairs = simple.map((tag): [string, string] => {
    const colon = tag.indexOf(':');
    if (colon < 1) throw new OpenrayError('InvalidRequestException', `tag ${tag.slice(0, 100)} is not key:value`);
    return [tag.slice(0, colon), tag.slice(colon + 1)];
  });
  return Object.assign(Object.fromEntries(pairs), ...json.map(readTagMap));
}

function readTagMap(text: string): Readonly<Record<string, string>> {
  try {
    return tagMap.parse(JSON.parse(text));
  } catch (cause) {
    throw new OpenrayError('InvalidRequestException', "parameter 'tags' is not a JSON object of texts", { cause });
  }
}

export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Accepts ids without leading zeros. Throws InvalidRequestException. */
export function parseJaegerTraceId(text: string): TraceId {
  const id = readTraceId(text) ?? (/^[0-9a-f]{1,32}$/i.test(text) ? readTraceId(text.padStart(32, '0')) : undefined);
  if (id === undefined) throw invalidRequest(`${text.slice(0, 64)} is not a trace id`);
  return id;
}

export function allValues(query: QueryParameters, name: string): readonly string[] {
  const value = query[name];
  const values = typeof value === 'string' ? [value] : (value ?? []);
  return values.filter((text) => text !== '');
}

export const firstValue = (query: QueryParameters, name: string): string | undefined => allValues(query, name)[0];

export function requiredValue(query: QueryParameters, name: string): string {
  const value = firstValue(query, name);
  if (value === undefined) throw invalidRequest(`parameter '${name}' is required`);
  return value;
}

export function wholeNumber(query: QueryParameters, name: string): number | undefined {
  const text = firstValue(query, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw invalidRequest(`parameter '${name}' is not a whole number`);
  }
  return number;
}

export function durationUs(query: QueryParameters, name: string): number | undefined {
  const text = firstValue(query, name);
  if (text === undefined) return undefined;
  const us = readDurationUs(text);
  if (us === undefined) throw invalidRequest(`parameter '${name}' is not a duration such as 1.2s, 100ms or 500us`);
  return us;
}

export function invalidRequest(sentence: string): OpenrayError {
  return new OpenrayError('InvalidRequestException', sentence);
}
