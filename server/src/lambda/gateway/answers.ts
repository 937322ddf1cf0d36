import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Cors, FunctionTarget, GatewayApi } from '../spec/routes.ts';

/** Header names may repeat, as for `set-cookie`. */
export type GatewayAnswer = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
};

/** What a handler returned, as HTTP; what no HTTP can be made of is the gateway's own error. */
export function answerOf(api: GatewayApi, { payloadVersion }: FunctionTarget, payload: Buffer): GatewayAnswer {
  const result = parse(payload);
  const defaultType = api.kind === 'http' ? 'text/plain; charset=utf-8' : 'application/json';
  if (payloadVersion === '2.0') {
    const shaped = isJsonObject(result) && 'statusCode' in result ? result : undefined;
    return shaped === undefined ? inferred(result) : (shapedAnswer(shaped, defaultType) ?? failedAnswer(api));
  }
  const shaped = isJsonObject(result) ? shapedAnswer(result, defaultType) : undefined;
  return shaped ?? failedAnswer(api);
}

/** The function failed, or said nothing that could be sent. */
export function failedAnswer({ kind }: GatewayApi): GatewayAnswer {
  switch (kind) {
    case 'rest':
      return messageAnswer(502, 'Internal server error', [['x-amzn-errortype', 'InternalServerErrorException']]);
    case 'http':
      return messageAnswer(500, 'Internal Server Error');
    case 'url':
      return {
        status: 502,
        headers: [['content-type', 'application/json']],
        body: Buffer.from('Internal Server Error'),
      };
  }
}

/** The function took longer than the gateway waits; it goes on all the same. */
export function timedOutAnswer({ kind }: GatewayApi): GatewayAnswer {
  return kind === 'rest'
    ? messageAnswer(504, 'Endpoint request timed out', [['x-amzn-errortype', 'InternalServerErrorException']])
    : messageAnswer(503, 'Service Unavailable');
}

export function throttledAnswer({ kind }: GatewayApi): GatewayAnswer {
  return kind === 'http' ? messageAnswer(503, 'Service Unavailable') : messageAnswer(429, 'Too Many Requests');
}

/** No route takes the request. REST says it in its own strange way. */
export function unroutedAnswer(isRest: boolean): GatewayAnswer {
  return isRest
    ? messageAnswer(403, 'Missing Authentication Token', [['x-amzn-errortype', 'MissingAuthenticationTokenException']])
    : messageAnswer(404, 'Not Found');
}

export function messageAnswer(status: number, message: string, headers: GatewayAnswer['headers'] = []): GatewayAnswer {
  return {
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: Buffer.from(JSON.stringify({ message })),
  };
}

/** The answer to a browser that asks before it sends. */
export function preflightAnswer({ kind, cors }: GatewayApi, origin: string | undefined): GatewayAnswer {
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
export function withCors(answer: GatewayAnswer, { kind, cors }: GatewayApi, origin: string | undefined): GatewayAnswer {
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
function inferred(result: JsonValue | undefined): GatewayAnswer {
  const text = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(text) };
}

/** Undefined when a member has no possible value. */
function shapedAnswer(result: JsonObject, defaultType: string): GatewayAnswer | undefined {
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
export function headersOf({ headers, multiValueHeaders, cookies }: JsonObject): GatewayAnswer['headers'] {
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
