import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Cors, FunctionTarget, GatewayApi } from '../spec/routes.ts';
import { malformedReason } from './malformed.ts';
import { type GatewayRequest, headerOf, isBinaryType } from './proxy-events.ts';

/** Header names may repeat, as for `set-cookie`. */
export type GatewayResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** No route matches the request. */
  readonly isUnrouted?: boolean;
};

/** The response to the client, and why the gateway refused the result of the handler; undefined when it did not. */
type FunctionResponse = {
  readonly response: GatewayResponse;
  readonly malformed: string | undefined;
  /** Why the response may not be what the function meant. */
  readonly warning?: string;
};

/** The result of a handler as an HTTP response. A malformed result becomes the gateway's own error. */
export function responseOf(
  api: GatewayApi,
  { payloadVersion }: FunctionTarget,
  payload: Buffer,
  request: Pick<GatewayRequest, 'rawHeaders'>,
): FunctionResponse {
  const result = parse(payload);
  if (payloadVersion === '2.0' && !(isJsonObject(result) && 'statusCode' in result)) {
    // Only a runtime of one's own can return a payload that is not JSON.
    const isJson = result !== undefined || payload.length === 0;
    if (!isJson) return { response: failedResponse(api), malformed: 'it is not JSON' };
    return { response: inferredResponse(result), malformed: undefined };
  }
  const malformed = malformedReason(api, result);
  if (malformed !== undefined || !isJsonObject(result)) return { response: failedResponse(api), malformed };
  const staysEncoded = result.isBase64Encoded === true && !acceptsBinary(api, request);
  // REST APIs and payloads of version 1.0 have no cookies, those of version 2.0 no headers with several values.
  const { cookies, multiValueHeaders, ...known } = result;
  const own: JsonObject =
    payloadVersion === '2.0' ? { cookies: cookies ?? null } : { multiValueHeaders: multiValueHeaders ?? null };
  return {
    response: explicitResponse({ ...known, ...own, ...(staysEncoded && { isBase64Encoded: false }) }, api),
    malformed,
    ...(staysEncoded && { warning: stillEncodedWarning(request) }),
  };
}

/**
 * Whether a body in Base64 is decoded: a REST API does it only when the first type of `Accept` is one of its binary
 * types.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
 */
function acceptsBinary({ kind, binaryMediaTypes }: GatewayApi, request: Pick<GatewayRequest, 'rawHeaders'>): boolean {
  return kind !== 'rest' || isBinaryType(binaryMediaTypes, firstAccepted(request));
}

function firstAccepted(request: Pick<GatewayRequest, 'rawHeaders'>): string {
  return (headerOf(request, 'accept') ?? '').split(/[,;]/, 1)[0]?.trim().toLowerCase() ?? '';
}

function stillEncodedWarning(request: Pick<GatewayRequest, 'rawHeaders'>): string {
  const type = firstAccepted(request).slice(0, 60) || 'no type';
  return `the body stays Base64: the request accepts ${type} first, which is none of BinaryMediaTypes`;
}

/** The function failed, or its result is invalid. */
export function failedResponse({ kind }: GatewayApi): GatewayResponse {
  switch (kind) {
    case 'rest':
      return messageResponse(502, 'Internal server error', [['x-amzn-errortype', 'InternalServerErrorException']]);
    case 'http':
      return messageResponse(500, 'Internal Server Error');
    case 'url':
      return {
        status: 502,
        headers: [['content-type', 'application/json']],
        body: Buffer.from('Internal Server Error'),
      };
  }
}

/** The function takes longer than the gateway waits. The function keeps running. */
export function timedOutResponse({ kind }: GatewayApi): GatewayResponse {
  return kind === 'rest'
    ? messageResponse(504, 'Endpoint request timed out', [['x-amzn-errortype', 'InternalServerErrorException']])
    : messageResponse(503, 'Service Unavailable');
}

export function throttledResponse({ kind }: GatewayApi): GatewayResponse {
  return kind === 'http' ? messageResponse(503, 'Service Unavailable') : messageResponse(429, 'Too Many Requests');
}

/** Largest request body of REST and HTTP APIs. A function URL has only Lambda's limit. */
export const BODY_MAX_BYTES = 10 * 1024 * 1024;

/** The body is larger than `BODY_MAX_BYTES`, or the event that it became is too large for Lambda. */
export function tooLargeResponse({ kind }: GatewayApi, limit: 'gateway' | 'lambda'): GatewayResponse {
  switch (kind) {
    case 'rest': {
      const message =
        limit === 'gateway' ? `HTTP content length exceeded ${BODY_MAX_BYTES} bytes.` : 'Request Too Long';
      return messageResponse(413, message, [['x-amzn-errortype', 'RequestTooLargeException']]);
    }
    case 'http':
      return messageResponse(413, 'Request Entity Too Large');
    case 'url':
      return messageResponse(413, 'Request Entity Too Large', [['x-amzn-errortype', 'RequestTooLargeException']]);
  }
}

/** No route matches the request. A REST API then asks for an authentication token, as on AWS. */
export function noRouteResponse(isRest: boolean): GatewayResponse {
  const response = isRest
    ? messageResponse(403, 'Missing Authentication Token', [
        ['x-amzn-errortype', 'MissingAuthenticationTokenException'],
      ])
    : messageResponse(404, 'Not Found');
  return { ...response, isUnrouted: true };
}

export function messageResponse(
  status: number,
  message: string,
  headers: GatewayResponse['headers'] = [],
): GatewayResponse {
  return {
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: Buffer.from(JSON.stringify({ message })),
  };
}

/** The response to a CORS preflight request. */
export function preflightResponse({ kind, cors }: GatewayApi, origin: string | undefined): GatewayResponse {
  const headers: [string, string][] =
    cors === undefined
      ? []
      : [
          ...allowedOrigin(cors, origin),
          ['access-control-allow-methods', cors.methods.join(',')],
          ['access-control-allow-headers', cors.headers.join(',')],
          ...(cors.maxAgeSeconds === undefined
            ? []
            : [['access-control-max-age', String(cors.maxAgeSeconds)] as [string, string]]),
        ];
  return { status: kind === 'rest' ? 200 : 204, headers, body: Buffer.alloc(0) };
}

/** Adds the CORS headers of HTTP APIs and function URLs. With a REST API the function adds them. */
export function withCors(
  response: GatewayResponse,
  { kind, cors }: GatewayApi,
  origin: string | undefined,
): GatewayResponse {
  if (kind === 'rest' || cors === undefined || origin === undefined) return response;
  const otherHeaders = response.headers.filter(([name]) => !name.toLowerCase().startsWith('access-control-'));
  return { ...response, headers: [...otherHeaders, ...allowedOrigin(cors, origin)] };
}

/** Whether CORS of an API names the origin; without an origin, whether it allows any. */
export function allowsOrigin({ origins }: Cors, origin: string | undefined): boolean {
  return origins.includes('*') || (origin !== undefined && origins.includes(origin));
}

function allowedOrigin(cors: Cors, origin: string | undefined): [string, string][] {
  if (!allowsOrigin(cors, origin)) return [];
  const isAny = cors.origins.includes('*');
  return [
    ['access-control-allow-origin', isAny && !cors.allowsCredentials ? '*' : (origin ?? '*')],
    ...(cors.allowsCredentials ? [['access-control-allow-credentials', 'true'] as [string, string]] : []),
  ];
}

/** Payload version 2.0: a result without `statusCode` is the body. */
function inferredResponse(result: JsonValue | undefined): GatewayResponse {
  const text = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(text) };
}

/** Expects a result that `malformedReason` accepts. */
function explicitResponse(result: JsonObject, { kind }: GatewayApi): GatewayResponse {
  const { statusCode, body = '', isBase64Encoded = false } = result;
  const text = body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = headersOf(result, kind);
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const defaultType = kind === 'http' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    status: Number(statusCode),
    headers: hasType ? headers : [...headers, ['content-type', defaultType]],
    body: Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

/** The gateway sets these itself. */
const CONNECTION_HEADERS: readonly string[] = [
  ...['connection', 'content-length', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
];
/** A REST API sends these to the client under another name. */
const REMAPPED_HEADERS: readonly string[] = ['connection', 'content-length', 'date', 'server', 'www-authenticate'];

/**
 * Headers of a result, or of the prelude of a streamed one. A header of `multiValueHeaders` has the value of `headers`
 * too, unless both are the same.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
export function headersOf(
  { headers, multiValueHeaders, cookies }: JsonObject,
  kind: GatewayApi['kind'],
): GatewayResponse['headers'] {
  const multiple = entriesOf(multiValueHeaders).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, String(value)] as const),
  );
  const isRepeated = ([name, value]: readonly [string, JsonValue]) =>
    multiple.some(([other, text]) => other.toLowerCase() === name.toLowerCase() && text === String(value));
  const single = entriesOf(headers).filter((entry) => entry[1] !== null && !isRepeated(entry));
  return [
    ...single.map(([name, value]) => [name, String(value)] as const),
    ...multiple,
    ...(Array.isArray(cookies) ? cookies.map((cookie) => ['set-cookie', String(cookie)] as const) : []),
  ].flatMap(([name, value]): GatewayResponse['headers'] => {
    const key = name.toLowerCase();
    if (kind === 'rest' && REMAPPED_HEADERS.includes(key)) return [[`x-amzn-Remapped-${name}`, value]];
    return CONNECTION_HEADERS.includes(key) ? [] : [[name, value]];
  });
}

function entriesOf(map: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  return isJsonObject(map) ? Object.entries(map) : [];
}

function parse(payload: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
