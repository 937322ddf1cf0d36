import { createHash } from 'node:crypto';
import { isJsonObject, type JsonValue, objectOf } from '../../model/json.ts';
import type { Cors, GatewayApi } from '../spec/routes.ts';
import { isTrue, textsOf } from './values.ts';

/** Timeouts of API Gateway for integrations that set none. */
export const REST_TIMEOUT_MS = 29_000;
export const HTTP_TIMEOUT_MS = 30_000;

/** Gives the logical id of the function that a text names: an ARN, a URI of an integration, or the id itself. */
export type FunctionFinder = (arn: string) => string | undefined;

export function methodOf(text = 'ANY'): string {
  const method = text.toUpperCase();
  return method === 'X-AMAZON-APIGATEWAY-ANY-METHOD' || method === '*' ? 'ANY' : method;
}

/** Accepts `"'*'"` (SAM's form for REST), a map, or `true`. */
export function corsOf(value: JsonValue | undefined): Cors | undefined {
  if (value === undefined || value === false || value === null) return undefined;
  const map = isJsonObject(value) ? value : { AllowOrigin: typeof value === 'string' ? value : '*' };
  const list = (...keys: readonly string[]) => {
    const found = keys.map((key) => map[key]).find((entry) => entry !== undefined);
    return (typeof found === 'string' ? found.split(',') : textsOf(found)).map((text) =>
      text.trim().replace(/^'|'$/g, ''),
    );
  };
  const maxAge = Number(String(map.MaxAge ?? '').replaceAll("'", '') || Number.NaN);
  const or = (texts: readonly string[], fallback: readonly string[]) => (texts.length === 0 ? fallback : texts);
  return {
    origins: or(list('AllowOrigins', 'AllowOrigin'), ['*']),
    methods: or(list('AllowMethods'), ['*']),
    headers: or(list('AllowHeaders'), ['*']),
    maxAgeSeconds: Number.isFinite(maxAge) ? maxAge : undefined,
    allowsCredentials: isTrue(map.AllowCredentials),
  };
}

/** Ten characters, as ids of API Gateway have; the same for the same text. */
export function shortId(text: string): string {
  const hash = createHash('sha256').update(text).digest();
  return Array.from(hash.subarray(0, 10), (byte) => (byte % 36).toString(36)).join('');
}

export function variablesOf(value: JsonValue | undefined): GatewayApi['stageVariables'] {
  const entries = Object.entries(objectOf(value)).map(([key, variable]) => [key, String(variable)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** SAM escapes the slash as `~1`. */
export function binaryTypesOf(value: JsonValue | undefined): readonly string[] {
  return textsOf(value).map((type) => type.replaceAll('~1', '/'));
}

/** Headers of a mock integration that are constants, `'…'`; headers from an expression are left out. */
export function fixedHeaders(parameters: JsonValue | undefined): readonly (readonly [string, string])[] {
  return Object.entries(objectOf(parameters)).flatMap(([name, value]) => {
    const [, header] = /^method\.response\.header\.(.+)$/.exec(name) ?? [];
    const [, text] = /^'(.*)'$/s.exec(String(value)) ?? [];
    return header === undefined || text === undefined ? [] : [[header, text] as const];
  });
}
