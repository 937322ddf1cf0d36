import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Authorizer, GatewayApi } from '../spec/routes.ts';
import type { RouteMatch } from './match.ts';
import { evaluatePolicy, returnedContext } from './policy.ts';
import { type EventContext, type GatewayRequest, headerLists, httpEvent, restEvent } from './proxy-events.ts';
import { type GatewayResponse, messageResponse } from './responses.ts';

/** The event for an authorizer, or the response to a request that lacks what the authorizer needs. */
export type AuthorizerInput =
  | { readonly kind: 'call'; readonly event: JsonObject }
  | { readonly kind: 'reject'; readonly response: GatewayResponse };

/** Whether the request is allowed; `authorizer` is the function's `requestContext.authorizer`. */
export type AuthorizationResult =
  | { readonly kind: 'allowed'; readonly authorizer: JsonObject }
  | { readonly kind: 'rejected'; readonly response: GatewayResponse };

/**
 * The event for the authorizer of a route. The authorizer is called for each request: results are not cached, so that
 * changed code is in force at once.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export function authorizerInput(
  authorizer: Authorizer,
  request: GatewayRequest,
  match: RouteMatch,
  context: EventContext,
): AuthorizerInput {
  const { api } = match.route;
  const values = identityValues(authorizer, request);
  if (values === undefined) return { kind: 'reject', response: unauthorizedResponse() };
  const methodArn = methodArnOf(api, request, context);
  if (authorizer.kind === 'token') {
    const [token = ''] = values;
    const isValid = authorizer.validation === undefined || matchesWhole(authorizer.validation, token);
    if (!isValid) return { kind: 'reject', response: unauthorizedResponse() };
    return { kind: 'call', event: { type: 'TOKEN', authorizationToken: token, methodArn } };
  }
  if (api.kind === 'rest') {
    const { body: _body, isBase64Encoded: _is, ...event } = restEvent(request, match, context);
    return { kind: 'call', event: { type: 'REQUEST', methodArn, ...nullsToEmptyMaps(event) } };
  }
  if (authorizer.payloadVersion === '1.0') {
    const { body: _body, isBase64Encoded: _is, ...event } = restEvent(request, match, context);
    const identitySource = values.join(',');
    const authorizerFields = {
      version: '1.0',
      type: 'REQUEST',
      methodArn,
      identitySource,
      authorizationToken: identitySource,
    };
    return { kind: 'call', event: { ...nullsToEmptyMaps(event), ...authorizerFields } };
  }
  const { body: _body, isBase64Encoded: _is, ...event } = httpEvent(request, match, context);
  return {
    kind: 'call',
    event: { ...event, version: '2.0', type: 'REQUEST', routeArn: methodArn, identitySource: values },
  };
}

/** Evaluates the result of an authorizer for a request. */
export function authorizationResult(
  { isSimple }: Authorizer,
  result: { readonly payload: Buffer; readonly isFunctionError: boolean },
  { route }: RouteMatch,
  request: GatewayRequest,
  context: Pick<EventContext, 'region' | 'accountId'>,
): AuthorizationResult {
  const { api } = route;
  const output = parse(result.payload);
  if (result.isFunctionError) {
    const isUnauthorized = isJsonObject(output) && output.errorMessage === 'Unauthorized';
    return { kind: 'rejected', response: isUnauthorized ? unauthorizedResponse() : misconfiguredResponse(api) };
  }
  if (!isJsonObject(output)) return { kind: 'rejected', response: misconfiguredResponse(api) };
  const returned = returnedContext(output);
  if (isSimple) {
    if (typeof output.isAuthorized !== 'boolean') return { kind: 'rejected', response: misconfiguredResponse(api) };
    if (!output.isAuthorized) return { kind: 'rejected', response: forbiddenResponse(api, false) };
    return { kind: 'allowed', authorizer: authorizerContext(route.target, returned) };
  }
  const { policyDocument: document, principalId } = output;
  if (!isJsonObject(document) || typeof principalId !== 'string')
    return { kind: 'rejected', response: misconfiguredResponse(api) };
  const verdict = evaluatePolicy(document, methodArnOf(api, request, context));
  if (verdict !== 'allowed') return { kind: 'rejected', response: forbiddenResponse(api, verdict === 'denied') };
  if (api.kind !== 'rest')
    return { kind: 'allowed', authorizer: authorizerContext(route.target, returned, principalId) };
  const texts = Object.entries(returned).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : String(value),
  ]);
  return { kind: 'allowed', authorizer: { ...Object.fromEntries(texts), principalId } };
}

/** HTTP APIs put the context below `lambda`, except for functions with events of version 1.0. */
function authorizerContext(
  target: RouteMatch['route']['target'],
  context: JsonObject,
  principalId?: string,
): JsonObject {
  const isVersion1 = target.kind === 'function' && target.payloadVersion === '1.0';
  return isVersion1 ? { ...context, ...(principalId === undefined ? {} : { principalId }) } : { lambda: context };
}

/** One value for each source; undefined when one of them is missing. */
function identityValues({ identity }: Authorizer, request: GatewayRequest): readonly string[] | undefined {
  const headers = headerLists(request.rawHeaders, (name) => name.toLowerCase());
  const query = new URLSearchParams(request.query);
  const values = identity
    .filter(({ location }) => location !== 'other')
    .map(({ location, name }) => (location === 'header' ? headers.get(name.toLowerCase())?.at(-1) : query.get(name)));
  return values.every((value): value is string => typeof value === 'string' && value !== '') ? values : undefined;
}

function methodArnOf(
  api: GatewayApi,
  { method, path }: GatewayRequest,
  { region, accountId }: Pick<EventContext, 'region' | 'accountId'>,
): string {
  return `arn:aws:execute-api:${region}:${accountId}:${api.id}/${api.stage}/${method}${path}`;
}

/** Authorizers get an empty object where the function gets null. */
function nullsToEmptyMaps(event: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(event).map(([key, value]) => [key, value ?? {}]));
}

function matchesWhole(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}

function unauthorizedResponse(): GatewayResponse {
  return messageResponse(401, 'Unauthorized', [['x-amzn-errortype', 'UnauthorizedException']]);
}

function forbiddenResponse({ kind }: GatewayApi, isDenied: boolean): GatewayResponse {
  if (kind !== 'rest') return messageResponse(403, 'Forbidden');
  const sentence = `User is not authorized to access this resource${isDenied ? ' with an explicit deny' : ''}`;
  return {
    status: 403,
    headers: [
      ['content-type', 'application/json'],
      ['x-amzn-errortype', 'AccessDeniedException'],
    ],
    // Only this response spells `Message` with a capital letter.
    body: Buffer.from(JSON.stringify({ Message: sentence })),
  };
}

/** The authorizer failed, or its result is invalid. */
function misconfiguredResponse({ kind }: GatewayApi): GatewayResponse {
  if (kind !== 'rest') return messageResponse(500, 'Internal Server Error');
  return {
    status: 500,
    headers: [
      ['content-type', 'application/json'],
      ['x-amzn-errortype', 'AuthorizerConfigurationException'],
    ],
    body: Buffer.from('{"message":null}'),
  };
}

function parse(payload: Buffer): JsonValue | undefined {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
