import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Cors, FunctionTarget, GatewayApi } from '../spec/routes.ts';

/** Header names may repeat, as for `set-cookie`. */
export type GatewayResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
};

/** What a handler returned, as HTTP; what no HTTP can be made of is the gateway's own error. */
export function responseOf(api: GatewayApi, { payloadVersion }: FunctionTarget, payload: Buffer): GatewayResponse {
  const result = parse(payload);
  const defaultType = api.kind === 'http' ? 'text/plain; charset=utf-8' : 'application/json';
  if (payloadVersion === '2.0') {
    const shaped = isJsonObject(result) && 'statusCode' in result ? result : undefined;
    return shaped === undefined
      ? inferredResponse(result)
      : (explicitResponse(shaped, defaultType) ?? failedResponse(api));
  }
  const shaped = isJsonObject(result) ? explicitResponse(result, defaultType) : undefined;
  return shaped ?? failedResponse(api);
}

/** The function failed, or said nothing that could be sent. */
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

/** The function took longer than the gateway waits; it goes on all the same. */
export function timedOutResponse({ kind }: GatewayApi): GatewayResponse {
  return kind === 'rest'
    ? messageResponse(504, 'Endpoint request timed out', [['x-amzn-errortype', 'InternalServerErrorException']])
    : messageResponse(503, 'Service Unavailable');
}

export function throttledResponse({ kind }: GatewayApi): GatewayResponse {
  return kind === 'http' ? messageResponse(503, 'Service Unavailable') : messageResponse(429, 'Too Many Requests');
}

/** No route takes the request. REST says it in its own strange way. */
export function noRouteResponse(isRest: boolean): GatewayResponse {
  return isRest
    ? messageResponse(403, 'Missing Authentication Token', [
        ['x-amzn-errortype', 'MissingAuthenticationTokenException'],
      ])
    : messageResponse(404, 'Not Found');
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

/** The answer to a browser that asks before it sends. */
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

/** HTTP APIs and function URLs add the headers themselves; with REST the function does. */
export function withCors(
  answer: GatewayResponse,
  { kind, cors }: GatewayApi,
  origin: string | undefined,
): GatewayResponse {
  if (kind === 'rest' || cors === undefined || origin === undefined) return answer;
  const own = answer.headers.filter(([name]) => !name.toLowerCase().startsWith('access-control-'));
  return { ...answer, headers: [...own, ...allowedOrigin(cors, origin)] };
}

function allowedOrigin(cors: Cors, origin: string | undefined): [string, string][] {
  const isAny = cors.origins.includes('*');
  if (!isAny && (origin === undefined || !cors.origins.includes(origin))) return [];
  return [
    ['access-control-allow-origin', isAny && !cors.allowsCredentials ? '*' : (origin ?? '*')],
    ...(cors.allowsCredentials ? [['access-control-allow-credentials', 'true'] as [string, string]] : []),
  ];
}

/** Version 2.0: JSON without a status is a body. */
function inferredResponse(result: JsonValue | undefined): GatewayResponse {
  const text = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(text) };
}

/** Undefined when a member has no possible value. */
function explicitResponse(result: JsonObject, defaultType: string): GatewayResponse | undefined {
  const { statusCode, body = '', isBase64Encoded = false } = result;
  const status = Number(statusCode ?? Number.NaN);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  const text = body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = headersOf(result);
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    status,
    headers: hasType ? headers : [...headers, ['content-type', defaultType]],
    body: Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

/** Of a result, or of the prelude of a streamed one. A name in `multiValueHeaders` wins over the same in `headers`. */
export function headersOf({ headers, multiValueHeaders, cookies }: JsonObject): GatewayResponse['headers'] {
  const multiple = isJsonObject(multiValueHeaders) ? multiValueHeaders : {};
  const names = new Set(Object.keys(multiple).map((name) => name.toLowerCase()));
  const single = Object.entries(isJsonObject(headers) ? headers : {}).filter(
    ([name]) => !names.has(name.toLowerCase()),
  );
  return [
    ...single.map(([name, value]) => [name, String(value)] as const),
    ...Object.entries(multiple).flatMap(([name, values]) =>
      (Array.isArray(values) ? (values as readonly JsonValue[]) : [values]).map(
        (value) => [name, String(value)] as const,
      ),
    ),
    ...(Array.isArray(cookies) ? cookies.map((cookie) => ['set-cookie', String(cookie)] as const) : []),
  ];
}

function parse(payload: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
