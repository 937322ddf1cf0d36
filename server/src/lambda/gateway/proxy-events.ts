import type { JsonObject } from '../../model/json.ts';
import type { GatewayApi } from '../spec/routes.ts';
import type { RouteMatch } from './match.ts';

/** A request to the gateway. */
export type GatewayRequest = {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Names and values in turn, in the order and spelling of the request. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  /** On which the request arrived. */
  readonly port: number;
};

export type EventContext = {
  readonly requestId: string;
  readonly accountId: string;
  readonly region: string;
  readonly nowMs: number;
  /** The function's `X-Amzn-Trace-Id` among the headers. */
  readonly traceHeader: string;
  /** The context from the route's authorizer. */
  readonly authorizer?: JsonObject | undefined;
};

/**
 * Payload version 1.0, of REST APIs.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function restEvent(
  request: GatewayRequest,
  { route, pathParameters }: RouteMatch,
  context: EventContext,
): JsonObject {
  const { api } = route;
  const headers = headerLists(request.rawHeaders, (name) => name);
  addForwarded(headers, request, (name) => name);
  headers.set('X-Amzn-Trace-Id', [context.traceHeader]);
  const query = queryLists(request.query);
  const isBase64 = isBinary(api, request);
  const host = lastOf(headerLists(request.rawHeaders, lower).get('host')) ?? domainOf(api, context);
  const userAgent = lastOf(headerLists(request.rawHeaders, lower).get('user-agent')) ?? null;
  const isRest = route.api.kind === 'rest';
  const path = isRest ? request.path : httpPath(api, request);
  return {
    ...(isRest ? {} : { version: '1.0' }),
    resource: route.path,
    path,
    httpMethod: request.method,
    headers: lastValues(headers),
    multiValueHeaders: allValues(headers),
    queryStringParameters: orNull(lastValues(query)),
    multiValueQueryStringParameters: orNull(allValues(query)),
    pathParameters: orNull(pathParameters),
    stageVariables: api.stageVariables ?? null,
    requestContext: {
      resourceId: 'local',
      ...(context.authorizer === undefined ? {} : { authorizer: context.authorizer }),
      resourcePath: route.path,
      httpMethod: request.method,
      extendedRequestId: context.requestId.slice(0, 15),
      requestTime: clfTime(context.nowMs),
      path: isRest ? `/${api.stage}${request.path}` : path,
      accountId: context.accountId,
      protocol: request.protocol,
      stage: api.stage,
      domainPrefix: host.split('.', 1)[0] ?? host,
      requestTimeEpoch: context.nowMs,
      requestId: context.requestId,
      identity: {
        cognitoIdentityPoolId: null,
        accountId: null,
        cognitoIdentityId: null,
        caller: null,
        sourceIp: request.sourceIp,
        principalOrgId: null,
        accessKey: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn: null,
        userAgent,
        user: null,
      },
      domainName: host,
      apiId: api.id,
    },
    body: request.body.length === 0 ? null : request.body.toString(isBase64 ? 'base64' : 'utf8'),
    isBase64Encoded: isBase64,
  };
}

/**
 * Payload version 2.0, of HTTP APIs and function URLs.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEvent(
  request: GatewayRequest,
  { route, pathParameters }: RouteMatch,
  context: EventContext,
): JsonObject {
  const { api } = route;
  const isUrl = api.kind === 'url';
  const lists = headerLists(request.rawHeaders, lower);
  const cookies = (lists.get('cookie') ?? []).flatMap((text) => text.split(';').map((cookie) => cookie.trim()));
  lists.delete('cookie');
  addForwarded(lists, request, lower);
  lists.set('x-amzn-trace-id', [context.traceHeader]);
  const headers = joinedValues(lists);
  const query = joinedValues(queryLists(request.query));
  const isBase64 = request.body.length > 0 && !isText(headers['content-type'] ?? 'application/octet-stream');
  const routeKey = route.path === '$default' ? '$default' : `${route.method} ${route.path}`;
  const domainName = headers.host ?? domainOf(api, context);
  const rawPath = httpPath(api, request);
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: request.query,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers,
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: isUrl ? 'anonymous' : context.accountId,
      apiId: api.id,
      ...(context.authorizer === undefined ? {} : { authorizer: context.authorizer }),
      domainName,
      domainPrefix: domainName.split('.', 1)[0] ?? domainName,
      http: {
        method: request.method,
        path: rawPath,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: context.requestId,
      routeKey,
      stage: api.stage,
      time: clfTime(context.nowMs),
      timeEpoch: context.nowMs,
    },
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    ...(api.stageVariables === undefined ? {} : { stageVariables: api.stageVariables }),
    ...(request.body.length === 0 ? {} : { body: request.body.toString(isBase64 ? 'base64' : 'utf8') }),
    isBase64Encoded: isBase64,
  };
}

/** The host that the API would have on AWS. */
export function domainOf(api: GatewayApi, { region }: Pick<EventContext, 'region'>): string {
  return api.kind === 'url' ? `${api.id}.lambda-url.${region}.on.aws` : `${api.id}.execute-api.${region}.amazonaws.com`;
}

/** The path of HTTP APIs and function URLs, with the stage unless it is `$default`. Only HTTP APIs decode it. */
function httpPath({ kind, stage }: GatewayApi, { path }: GatewayRequest): string {
  const staged = stage === '$default' ? path : `/${stage}${path}`;
  return kind === 'http' ? decodePath(staged) : staged;
}

/** Bytes that are not UTF-8 stay encoded. */
function decodePath(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

type Lists = Map<string, string[]>;

/** Values by name; of several spellings of a name the first is kept. Leaves out the caller's trace header. */
export function headerLists(rawHeaders: readonly string[], nameOf: (name: string) => string): Lists {
  const lists: Lists = new Map();
  const spelling = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = nameOf(rawHeaders[i] as string);
    const key = spelling.get(lower(name)) ?? name;
    spelling.set(lower(name), key);
    if (lower(name) !== 'x-amzn-trace-id') add(lists, key, rawHeaders[i + 1] as string);
  }
  return lists;
}

/**
 * Adds the headers of a proxy: the client's address after the ones that the request names, and, as `sam local` sends
 * them, the local port and protocol. Together with `Host` they make a URL that works here.
 */
function addForwarded(
  lists: Lists,
  { sourceIp, port, scheme }: GatewayRequest,
  nameOf: (name: string) => string,
): void {
  const named = [...lists.keys()].filter((key) => FORWARDED.includes(lower(key)));
  const addresses = named.filter((key) => lower(key) === 'x-forwarded-for').flatMap((key) => lists.get(key) ?? []);
  for (const key of named) lists.delete(key);
  lists.set(nameOf('X-Forwarded-For'), [[...addresses, sourceIp].join(', ')]);
  lists.set(nameOf('X-Forwarded-Port'), [String(port)]);
  lists.set(nameOf('X-Forwarded-Proto'), [scheme]);
}

const FORWARDED = ['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto'];

function queryLists(query: string): Lists {
  const lists: Lists = new Map();
  for (const [name, value] of new URLSearchParams(query)) add(lists, name, value);
  return lists;
}

function add(lists: Lists, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function lastValues(lists: Lists): Record<string, string> {
  return Object.fromEntries([...lists].map(([key, list]) => [key, lastOf(list) ?? '']));
}

function allValues(lists: Lists): Record<string, readonly string[]> {
  return Object.fromEntries(lists);
}

function joinedValues(lists: Lists): Record<string, string> {
  return Object.fromEntries([...lists].map(([key, list]) => [key, list.join(',')]));
}

function orNull<Map extends object>(map: Map): Map | null {
  return Object.keys(map).length === 0 ? null : map;
}

function lastOf(list: readonly string[] | undefined): string | undefined {
  return list?.at(-1);
}

function lower(text: string): string {
  return text.toLowerCase();
}

function isBinary({ binaryMediaTypes }: GatewayApi, { rawHeaders, body }: GatewayRequest): boolean {
  if (body.length === 0) return false;
  const type = (lastOf(headerLists(rawHeaders, lower).get('content-type')) ?? '').split(';', 1)[0]?.trim() ?? '';
  return isBinaryType(binaryMediaTypes, type);
}

export function isBinaryType(binaryMediaTypes: readonly string[], type: string): boolean {
  return binaryMediaTypes.some(
    (binary) => binary === '*/*' || binary === type || binary === type.replace(/\/.*/, '/*'),
  );
}

/** HTTP APIs pass these content types as text; all others, forms too, are passed in Base64. */
function isText(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^(text\/.*|application\/(json|xml|javascript|.*\+json|.*\+xml))$/.test(type);
}

/** `24/May/2024:14:13:20 +0000` */
function clfTime(ms: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}

/** The first header with the name, which is given in lower case. */
export function headerOf({ rawHeaders }: Pick<GatewayRequest, 'rawHeaders'>, name: string): string | undefined {
  const index = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  return index < 0 ? undefined : rawHeaders[index + 1];
}
