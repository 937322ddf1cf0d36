import { type JsonObject, type JsonValue, listOf, objectOf, textOf } from '../../model/json.ts';
import {
  type GatewayApi,
  type GatewayRoute,
  NO_AUTHORIZATION,
  type RouteAuthorization,
  type RouteTarget,
} from '../spec/routes.ts';
import { type ApiAuth, readHttpAuthorizer, readRestAuthorizer } from './authorizers.ts';
import { readPart } from './broken-parts.ts';
import { definitionRoutes } from './definition-routes.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import { METHOD, type MemberRules, OBJECT, required, shown, TEXT, validMembers } from './member-rules.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import {
  binaryTypesOf,
  corsOf,
  type FunctionFinder,
  fixedHeaders,
  HTTP_TIMEOUT_MS,
  methodOf,
  REST_TIMEOUT_MS,
  shortId,
  variablesOf,
} from './route-values.ts';
import { isTrue, numberOr } from './values.ts';

type Named = { readonly id: string; readonly properties: JsonObject };

/**
 * Routes of the plain resources `AWS::ApiGateway::*` and `AWS::ApiGatewayV2::*`, as the CDK and the Serverless
 * Framework write them. A route without a function or a mock is left out, with a warning.
 */
export function readResourceRoutes(
  raw: RawTemplate,
  scope: Scope,
  functionOf: FunctionFinder,
): readonly GatewayRoute[] {
  const ofType = (type: string): readonly Named[] =>
    Object.entries(raw.resources)
      .filter(([, resource]) => resource.type === type)
      .flatMap(([id, resource]): readonly Named[] => {
        // The routes of a body are resolved one by one.
        const { Body: _body, ...properties } = resource.properties;
        const resolved = readPart<JsonObject | undefined>(
          () => objectOf(resolveValue(properties, { ...scope, location: id })),
          undefined,
          (reason) => scope.warn(`${reason}; it is left out.`),
        );
        if (resolved === undefined) return ROUTE_TYPES.includes(type) ? [] : [{ id, properties: {} }];
        return [{ id, properties: resolved }];
      });
  const defined = (named: Named, api: GatewayApi) => {
    const { properties } = raw.resources[named.id] as Resource;
    const { Body: body, BodyS3Location: location } = properties;
    const source = { logicalId: named.id, api, auth: NO_AUTH };
    return definitionRoutes(
      { ...source, body: ['Body', body], location: ['BodyS3Location', location] },
      raw,
      scope,
      functionOf,
    );
  };
  return [...restRoutes(ofType, defined, scope, functionOf), ...httpRoutes(ofType, defined, scope, functionOf)];
}

const NO_AUTH: ApiAuth = { authorizers: new Map(), defaultAuthorizer: undefined };

/** Routes of an API's OpenAPI document. */
type Defined = (named: Named, api: GatewayApi) => readonly GatewayRoute[];

const ROUTE_TYPES = ['AWS::ApiGateway::Method', 'AWS::ApiGatewayV2::Route'];

type OfType = (type: string) => readonly Named[];

function restRoutes(
  ofType: OfType,
  defined: Defined,
  scope: Scope,
  functionOf: FunctionFinder,
): readonly GatewayRoute[] {
  const methods = ofType('AWS::ApiGateway::Method');
  const resources = new Map(ofType('AWS::ApiGateway::Resource').map(({ id, properties }) => [id, properties]));
  const stages = ofType('AWS::ApiGateway::Stage');
  const deployments = ofType('AWS::ApiGateway::Deployment');
  const restApis = ofType('AWS::ApiGateway::RestApi');
  const apis = new Map(restApis.map((api) => [api.id, restApi(api, stages, deployments)] as const));
  const authorizers = new Map(
    ofType('AWS::ApiGateway::Authorizer').map(
      ({ id, properties }) => [id, readRestAuthorizer(id, properties, functionOf)] as const,
    ),
  );

  /** Path from the root down. The root is an attribute of the API and not a resource. */
  const pathOf = (resourceId: string, depth = 0): string => {
    const resource = resources.get(resourceId);
    // A circle of parents has no root.
    if (resource === undefined || depth > resources.size) return '';
    return `${pathOf(textOf(resource.ParentId) ?? '', depth + 1)}/${textOf(resource.PathPart) ?? ''}`;
  };

  const ofBodies = restApis.flatMap((named) => defined(named, apis.get(named.id) as GatewayApi));
  const ofMethods = methods.flatMap(({ id, properties: given }): readonly GatewayRoute[] => {
    const properties = validMembers(id, given, METHOD_RULES, scope.warn);
    if (properties === undefined) return [];
    const restApiId = textOf(properties.RestApiId) ?? '';
    const api = apis.get(restApiId);
    const target = restTarget(objectOf(properties.Integration), functionOf);
    if (api === undefined) {
      const type = 'AWS::ApiGateway::RestApi';
      scope.warn(`${id}.RestApiId is ${shown(restApiId)}, which is no ${type} of this template; ${LEFT_OUT}.`);
      return [];
    }
    const resourceId = textOf(properties.ResourceId) ?? '';
    if (!resources.has(resourceId) && resourceId !== scope.resources[restApiId]?.attributes.RootResourceId) {
      scope.warn(`${id}.ResourceId is ${shown(resourceId)}, which is no resource of ${restApiId}; ${LEFT_OUT}.`);
      return [];
    }
    if (target === undefined) {
      scope.warn(`${id}: openray serves only functions (AWS_PROXY) and mocks; this route is left out.`);
      return [];
    }
    return [
      {
        api,
        target,
        method: methodOf(textOf(properties.HttpMethod)),
        path: pathOf(resourceId) || '/',
        authorization: authorizationOf(properties, authorizers),
      },
    ];
  });
  return [...ofBodies, ...ofMethods];
}

const LEFT_OUT = 'its route is left out';
const METHOD_RULES: MemberRules = {
  RestApiId: required(TEXT),
  ResourceId: required(TEXT),
  HttpMethod: required(METHOD),
  Integration: required(OBJECT),
};
const ROUTE_RULES: MemberRules = {
  ApiId: required(TEXT),
  RouteKey: required({
    expects: 'a route such as GET /users, or $default',
    isValid: (value) => typeof value === 'string' && (value === '$default' || ROUTE_KEY.test(value)),
  }),
  Target: required(TEXT),
};
const ROUTE_KEY = /^([A-Za-z]+) (\/.*)$/;

function restApi({ id, properties }: Named, stages: readonly Named[], deployments: readonly Named[]): GatewayApi {
  const isOfThis = ({ properties: own }: Named) => textOf(own.RestApiId) === id;
  const stage = stages.find(isOfThis)?.properties;
  // A deployment may define its stage.
  const deployment = deployments.find((one) => isOfThis(one) && one.properties.StageName !== undefined)?.properties;
  const settings = stage ?? objectOf(deployment?.StageDescription);
  return {
    kind: 'rest',
    id: shortId(id),
    name: textOf(properties.Name) ?? id,
    stage: textOf(stage?.StageName) ?? textOf(deployment?.StageName) ?? 'prod',
    isTraced: isTrue(settings.TracingEnabled),
    stageVariables: variablesOf(settings.Variables),
    cors: undefined,
    binaryMediaTypes: binaryTypesOf(properties.BinaryMediaTypes),
  };
}

function restTarget(integration: JsonObject, functionOf: FunctionFinder): RouteTarget | undefined {
  if (textOf(integration.Type) === 'MOCK') return mockTarget(integration);
  const functionId = functionOf(textOf(integration.Uri) ?? '');
  if (functionId === undefined || textOf(integration.Type) !== 'AWS_PROXY') return undefined;
  return {
    kind: 'function',
    functionId,
    payloadVersion: '1.0',
    isStreamed: textOf(integration.ResponseTransferMode) === 'STREAM',
    timeoutMs: numberOr(integration.TimeoutInMillis, REST_TIMEOUT_MS),
  };
}

function mockTarget(integration: JsonObject): RouteTarget {
  const response = objectOf(listOf(integration.IntegrationResponses)[0]);
  return {
    kind: 'fixed',
    status: numberOr(response.StatusCode, 200),
    headers: fixedHeaders(response.ResponseParameters),
  };
}

function httpRoutes(
  ofType: OfType,
  defined: Defined,
  scope: Scope,
  functionOf: FunctionFinder,
): readonly GatewayRoute[] {
  const stages = ofType('AWS::ApiGatewayV2::Stage');
  const integrations = new Map(
    ofType('AWS::ApiGatewayV2::Integration').map(({ id, properties }) => [id, properties] as const),
  );
  const authorizers = new Map(
    ofType('AWS::ApiGatewayV2::Authorizer').map(
      ({ id, properties }) => [id, readHttpAuthorizer(id, properties, functionOf)] as const,
    ),
  );
  const apis = ofType('AWS::ApiGatewayV2::Api');
  // The routes of a WebSocket API have other keys; the API itself gives the warning.
  const isWebSocket = (id: string | undefined) =>
    apis.some((api) => api.id === id && textOf(api.properties.ProtocolType) === 'WEBSOCKET');
  const routes = ofType('AWS::ApiGatewayV2::Route').flatMap(({ id, properties: given }): readonly Named[] => {
    if (isWebSocket(textOf(given.ApiId))) return [];
    const properties = validMembers(id, given, ROUTE_RULES, scope.warn);
    if (properties === undefined) return [];
    const apiId = textOf(properties.ApiId) ?? '';
    if (apis.some((api) => api.id === apiId)) return [{ id, properties }];
    scope.warn(`${id}.ApiId is ${shown(apiId)}, which is no AWS::ApiGatewayV2::Api of this template; ${LEFT_OUT}.`);
    return [];
  });
  return apis.flatMap((named): readonly GatewayRoute[] => {
    const { id, properties } = named;
    if (textOf(properties.ProtocolType) === 'WEBSOCKET') {
      scope.warn(`${id}: openray does not serve WebSocket APIs; the routes of this API are left out.`);
      return [];
    }
    const api = httpApi(named, stages);
    const own = routes.filter((route) => textOf(route.properties.ApiId) === id);
    // Quick create: the API names its only function.
    const quickTarget = textOf(properties.Target) ?? '';
    const quickRoute =
      functionOf(quickTarget) === undefined
        ? []
        : [{ id, properties: { RouteKey: properties.RouteKey ?? '$default', Target: quickTarget } as JsonObject }];
    const ofRoutes = [...own, ...quickRoute].flatMap((route): readonly GatewayRoute[] => {
      const target = httpTarget(textOf(route.properties.Target) ?? '', integrations, functionOf);
      if (target === undefined) {
        scope.warn(`${route.id}: openray serves only functions (AWS_PROXY); this route is left out.`);
        return [];
      }
      const [, method, path] = ROUTE_KEY.exec(textOf(route.properties.RouteKey) ?? '') ?? [];
      const authorization = authorizationOf(route.properties, authorizers);
      return [{ api, target, authorization, method: methodOf(method), path: path ?? '$default' }];
    });
    return [...defined(named, api), ...ofRoutes];
  });
}

function httpApi({ id, properties }: Named, stages: readonly Named[]): GatewayApi {
  const stage = stages.find(({ properties: own }) => textOf(own.ApiId) === id)?.properties;
  return {
    kind: 'http',
    id: shortId(id),
    name: textOf(properties.Name) ?? id,
    stage: textOf(stage?.StageName) ?? '$default',
    isTraced: false,
    stageVariables: variablesOf(stage?.StageVariables),
    cors: corsOf(properties.CorsConfiguration),
    binaryMediaTypes: [],
  };
}

/** `integrations/ID`, or the ARN of the function. */
function httpTarget(
  target: string,
  integrations: ReadonlyMap<string, JsonObject>,
  functionOf: FunctionFinder,
): RouteTarget | undefined {
  const integration = integrations.get(target.replace(/^integrations\//, ''));
  const functionId = functionOf(integration === undefined ? target : (textOf(integration.IntegrationUri) ?? ''));
  if (functionId === undefined) return undefined;
  return {
    kind: 'function',
    functionId,
    payloadVersion: textOf(integration?.PayloadFormatVersion) === '1.0' ? '1.0' : '2.0',
    isStreamed: false,
    timeoutMs: numberOr(integration?.TimeoutInMillis, HTTP_TIMEOUT_MS),
  };
}

const NO_AUTHORIZATION_TYPES: readonly (JsonValue | undefined)[] = [undefined, 'NONE'];

/** Authorization of a method or a route. openray cannot check IAM, Cognito and JWT. */
function authorizationOf(
  { AuthorizationType: type, AuthorizerId: authorizerId }: JsonObject,
  authorizers: ReadonlyMap<string, RouteAuthorization>,
): RouteAuthorization {
  if (NO_AUTHORIZATION_TYPES.includes(type)) return NO_AUTHORIZATION;
  return authorizers.get(textOf(authorizerId) ?? '') ?? { kind: 'unsupported', description: textOf(type) ?? '' };
}
