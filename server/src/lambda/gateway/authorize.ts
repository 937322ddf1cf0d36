import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { GatewayApi } from '../spec/routes.ts';
import type { Authorizer } from '../template/authorizers.ts';
import { type GatewayResponse, messageResponse } from './answers.ts';
import { type EventContext, type GatewayRequest, headerLists, httpEvent, restEvent } from './events.ts';
import type { RouteMatch } from './match.ts';
import { evaluatePolicy, returnedContext } from './policy.ts';

/** What an authorizer is asked; or the answer when the request lacks what it would be asked about. */
export type AuthorizerInput =
  | { readonly kind: 'ask'; readonly event: JsonObject }
  | { readonly kind: 'refuse'; readonly response: GatewayResponse };

/** Whether the request goes on, and what the function then finds as `requestContext.authorizer`. */
export type AuthorizationResult =
  | { readonly kind: 'admitted'; readonly authorizer: JsonObject }
  | { readonly kind: 'refused'; readonly response: GatewayResponse };

/**
 * The event for an authorizer of this route. Every request is a question: nothing is remembered between two, so that
 * code which has changed is asked too.
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
  if (values === undefined) return { kind: 'refuse', response: unauthorizedResponse() };
  const methodArn = methodArnOf(api, request, context);
  if (authorizer.kind === 'token') {
    const [token = ''] = values;
    const isValid = authorizer.validation === undefined || matchesWhole(authorizer.validation, token);
    if (!isValid) return { kind: 'refuse', response: unauthorizedResponse() };
    return { kind: 'ask', event: { type: 'TOKEN', authorizationToken: token, methodArn } };
  }
  if (api.kind === 'rest') {
    const { body: _body, isBase64Encoded: _is, ...event } = restEvent(request, match, context);
    return { kind: 'ask', event: { type: 'REQUEST', methodArn, ...nullsToEmptyMaps(event) } };
  }
  if (authorizer.payloadVersion === '1.0') {
    const { body: _body, isBase64Encoded: _is, ...event } = restEvent(request, match, context);
    const identitySource = values.join(',');
    const own = { version: '1.0', type: 'REQUEST', methodArn, identitySource, authorizationToken: identitySource };
    return { kind: 'ask', event: { ...nullsToEmptyMaps(event), ...own } };
  }
  const { body: _body, isBase64Encoded: _is, ...event } = httpEvent(request, match, context);
  return {
    kind: 'ask',
    event: { ...event, version: '2.0', type: 'REQUEST', routeArn: methodArn, identitySource: values },
  };
}

/** What its answer means for the request. `payload` is undefined when it failed. */
export function authorizationResult(
  { isSimple }: Authorizer,
  result: { readonly payload: Buffer; readonly isFunctionError: boolean },
  { route }: RouteMatch,
  request: GatewayRequest,
  context: Pick<EventContext, 'region' | 'accountId'>,
): AuthorizationResult {
  const { api } = route;
  const answer = parse(result.payload);
  if (result.isFunctionError) {
    const isRefusal = isJsonObject(answer) && answer.errorMessage === 'Unauthorized';
    return { kind: 'refused', response: isRefusal ? unauthorizedResponse() : misconfiguredResponse(api) };
  }
  if (!isJsonObject(answer)) return { kind: 'refused', response: misconfiguredResponse(api) };
  const given = returnedContext(answer);
  if (isSimple) {
    if (typeof answer.isAuthorized !== 'boolean') return { kind: 'refused', response: misconfiguredResponse(api) };
    if (!answer.isAuthorized) return { kind: 'refused', response: forbiddenResponse(api, false) };
    return { kind: 'admitted', authorizer: authorizerContext(route.target, given) };
  }
  const { policyDocument: document, principalId } = answer;
  if (!isJsonObject(document) || typeof principalId !== 'string')
    return { kind: 'refused', response: misconfiguredResponse(api) };
  const verdict = evaluatePolicy(document, methodArnOf(api, request, context));
  if (verdict !== 'allowed') return { kind: 'refused', response: forbiddenResponse(api, verdict === 'denied') };
  if (api.kind !== 'rest') return { kind: 'admitted', authorizer: authorizerContext(route.target, given, principalId) };
  const texts = Object.entries(given).map(([key, value]) => [key, typeof value === 'string' ? value : String(value)]);
  return { kind: 'admitted', authorizer: { ...Object.fromEntries(texts), principalId } };
}

/** HTTP APIs put the context below `lambda`, but not for functions that want events of version 1.0. */
function authorizerContext(
  target: RouteMatch['route']['target'],
  context: JsonObject,
  principalId?: string,
): JsonObject {
  const isOld = target.kind === 'function' && target.payloadVersion === '1.0';
  return isOld ? { ...context, ...(principalId === undefined ? {} : { principalId }) } : { lambda: context };
}

/** One value a source, or undefined when one of them is not there. */
function identityValues({ identity }: Authorizer, request: GatewayRequest): readonly string[] | undefined {
  const headers = headerLists(request.rawHeaders, (name) => name.toLowerCase());
  const query = new URLSearchParams(request.query);
  const values = identity
    .filter(({ location: place }) => place !== 'other')
    .map(({ location: place, name }) =>
      place === 'header' ? headers.get(name.toLowerCase())?.at(-1) : query.get(name),
    );
  return values.every((value): value is string => typeof value === 'string' && value !== '') ? values : undefined;
}

function methodArnOf(
  api: GatewayApi,
  { method, path }: GatewayRequest,
  { region, accountId }: Pick<EventContext, 'region' | 'accountId'>,
): string {
  return `arn:aws:execute-api:${region}:${accountId}:${api.id}/${api.stage}/${method}${path}`;
}

/** Authorizers find empty maps where the function finds null. */
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
    // With a capital letter, which only this answer has.
    body: Buffer.from(JSON.stringify({ Message: sentence })),
  };
}

/** It failed, or gave an answer that is none. */
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
