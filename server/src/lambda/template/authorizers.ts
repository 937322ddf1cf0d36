import { type JsonObject, type JsonValue, listOf, objectOf, textOf } from '../../model/json.ts';
import { type IdentitySource, NO_AUTHORIZATION, type RouteAuthorization } from '../spec/routes.ts';
import type { FunctionFinder } from './route-values.ts';
import { isTrue, textsOf } from './values.ts';

/** `Auth` of a SAM API: authorizers by name, and the one for events that name none. */
export type ApiAuth = {
  readonly authorizers: ReadonlyMap<string, RouteAuthorization>;
  readonly defaultAuthorizer: string | undefined;
};

export function readSamAuth(auth: JsonObject, isRest: boolean, functionOf: FunctionFinder): ApiAuth {
  const authorizers = Object.entries(objectOf(auth.Authorizers)).map(
    ([name, value]): readonly [string, RouteAuthorization] => [
      name,
      samAuthorization(name, objectOf(value), isRest, functionOf),
    ],
  );
  return { authorizers: new Map(authorizers), defaultAuthorizer: textOf(auth.DefaultAuthorizer) };
}

/** Authorization of one event: its own `Auth.Authorizer`, `NONE`, or the API's default. */
export function samEventAuthorization(
  { authorizers, defaultAuthorizer }: ApiAuth,
  auth: JsonObject,
): RouteAuthorization {
  const name = textOf(auth.Authorizer) ?? defaultAuthorizer;
  if (name === undefined || name === 'NONE') return NO_AUTHORIZATION;
  return authorizers.get(name) ?? { kind: 'unsupported', description: name };
}

function samAuthorization(
  name: string,
  properties: JsonObject,
  isRest: boolean,
  functionOf: FunctionFinder,
): RouteAuthorization {
  const functionId = functionOf(textOf(properties.FunctionArn) ?? '');
  if (functionId === undefined) return { kind: 'unsupported', description: name };
  const identity = objectOf(properties.Identity);
  const isToken = isRest && textOf(properties.FunctionPayloadType) !== 'REQUEST';
  const headers = isToken ? [textOf(identity.Header) ?? 'Authorization'] : textsOf(identity.Headers);
  const sources: readonly IdentitySource[] = [
    ...headers.map((header) => ({ location: 'header' as const, name: header })),
    ...textsOf(identity.QueryStrings).map((query) => ({ location: 'query' as const, name: query })),
  ];
  return {
    kind: 'authorizer',
    authorizer: {
      name,
      kind: isToken ? 'token' : 'request',
      functionId,
      payloadVersion: isRest || textOf(properties.AuthorizerPayloadFormatVersion) === '1.0' ? '1.0' : '2.0',
      isSimple: isTrue(properties.EnableSimpleResponses),
      identity: sources,
      validation: textOf(identity.ValidationExpression),
    },
  };
}

/** `AWS::ApiGateway::Authorizer`. */
export function readRestAuthorizer(
  logicalId: string,
  properties: JsonObject,
  functionOf: FunctionFinder,
): RouteAuthorization {
  const type = textOf(properties.Type) ?? '';
  const functionId = functionOf(textOf(properties.AuthorizerUri) ?? '');
  if (functionId === undefined || (type !== 'TOKEN' && type !== 'REQUEST')) return unsupported(logicalId, type);
  return {
    kind: 'authorizer',
    authorizer: {
      name: textOf(properties.Name) ?? logicalId,
      kind: type === 'TOKEN' ? 'token' : 'request',
      functionId,
      payloadVersion: '1.0',
      isSimple: false,
      identity: identitySources((textOf(properties.IdentitySource) ?? '').split(',')),
      validation: textOf(properties.IdentityValidationExpression),
    },
  };
}

/** `AWS::ApiGatewayV2::Authorizer`. */
export function readHttpAuthorizer(
  logicalId: string,
  properties: JsonObject,
  functionOf: FunctionFinder,
): RouteAuthorization {
  const type = textOf(properties.AuthorizerType) ?? '';
  const functionId = functionOf(textOf(properties.AuthorizerUri) ?? '');
  if (functionId === undefined || type !== 'REQUEST') return unsupported(logicalId, type);
  return {
    kind: 'authorizer',
    authorizer: {
      name: textOf(properties.Name) ?? logicalId,
      kind: 'request',
      functionId,
      payloadVersion: textOf(properties.AuthorizerPayloadFormatVersion) === '1.0' ? '1.0' : '2.0',
      isSimple: isTrue(properties.EnableSimpleResponses),
      identity: identitySources(listOf(properties.IdentitySource).map(String)),
      validation: undefined,
    },
  };
}

function unsupported(logicalId: string, type: JsonValue): RouteAuthorization {
  return { kind: 'unsupported', description: `${logicalId}${type === '' ? '' : ` (${type})`}` };
}

/** `method.request.header.Authorization`, `$request.querystring.key`. Values of stage and context always exist. */
function identitySources(texts: readonly string[]): readonly IdentitySource[] {
  return texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => {
      const [, place, name] = /\.(header|querystring)\.(.+)$/.exec(text) ?? [];
      if (place === undefined || name === undefined) return { location: 'other', name: text };
      return { location: place === 'header' ? 'header' : 'query', name };
    });
}
