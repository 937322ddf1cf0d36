import { createHash } from 'node:crypto';
import { isJsonObject, type JsonValue } from '../../model/json.ts';
import type { RouteAuthorization } from '../template/authorizers.ts';
import { isTrue, objectOf, textsOf } from '../template/values.ts';

export type Cors = {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly allowsCredentials: boolean;
};

/** An API of the template, or the URL of a function. */
export type GatewayApi = {
  readonly kind: 'rest' | 'http' | 'url';
  /** Ten characters, the same at every start. */
  readonly id: string;
  readonly name: string;
  readonly stage: string;
  /** Only REST APIs have tracing of their own. */
  readonly isTraced: boolean;
  readonly stageVariables: Readonly<Record<string, string>> | undefined;
  readonly cors: Cors | undefined;
  readonly binaryMediaTypes: readonly string[];
};

export type GatewayRoute = {
  readonly api: GatewayApi;
  /** In capitals; `ANY` for all. */
  readonly method: string;
  /** `/users/{id}`, `/{proxy+}`; `$default` takes what no other route of an HTTP API takes. */
  readonly path: string;
  readonly target: RouteTarget;
  readonly authorization: RouteAuthorization;
};

export type RouteTarget = FunctionTarget | FixedTarget;

export type FunctionTarget = {
  readonly kind: 'function';
  /** Logical id. */
  readonly functionId: string;
  readonly payloadVersion: '1.0' | '2.0';
  /** The answer may be sent while it is made. */
  readonly isStreamed: boolean;
  /** How long the gateway waits; undefined for a function URL, which waits as long as the function may run. */
  readonly timeoutMs: number | undefined;
};

/** The gateway answers itself: a mock integration, as tools write them for CORS. */
export type FixedTarget = {
  readonly kind: 'fixed';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
};

/** What API Gateway gives an integration that says nothing. */
export const REST_TIMEOUT_MS = 29_000;
export const HTTP_TIMEOUT_MS = 30_000;

/** The logical id of the function that an ARN names, in any of the ways in which APIs name functions. */
export type FunctionFinder = (arn: string) => string | undefined;

export function methodOf(text = 'ANY'): string {
  const method = text.toUpperCase();
  return method === 'X-AMAZON-APIGATEWAY-ANY-METHOD' || method === '*' ? 'ANY' : method;
}

/** `"'*'"`, as SAM wants it for REST; a map; or `true`. */
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

export function shortId(text: string): string {
  const hash = createHash('sha256').update(text).digest();
  return Array.from(hash.subarray(0, 10), (byte) => (byte % 36).toString(36)).join('');
}

export function variablesOf(value: JsonValue | undefined): GatewayApi['stageVariables'] {
  const entries = Object.entries(objectOf(value)).map(([key, variable]) => [key, String(variable)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** SAM writes the slash as ~1, since these become keys. */
export function binaryTypesOf(value: JsonValue | undefined): readonly string[] {
  return textsOf(value).map((type) => type.replaceAll('~1', '/'));
}
