import { z } from 'zod';
import { OpenrayError } from '../errors.ts';

const US: Readonly<Record<string, number>> = { ns: 0.001, us: 1, µs: 1, μs: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3_600e6 };
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** A duration as Go writes it, such as `1h15m30.5s`, in microseconds; undefined when `text` is none. */
export function readDurationUs(text: string): number | undefined {
  if (text === '0') return 0;
  let us = 0;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    us += Number(part[1]) * (US[part[2] ?? ''] ?? 0);
    end = PART.lastIndex;
  }
  return end > 0 && end === text.length ? us : undefined;
}

const tagMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

/** `tag=key:value` and `tags={"key":"value"}`, each as often as one likes. Throws InvalidRequestException. */
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
