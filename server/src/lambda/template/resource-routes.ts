import { type JsonObject, type JsonValue, listOf, objectOf, textOf } from '../../model/json.ts';
import {
  type GatewayApi,
  type GatewayRoute,
  NO_AUTHORIZATION,
  type RouteAuthorization,
  type RouteTarget,
} from '../spec/routes.ts';
import { readHttpAuthorizer, readRestAuthorizer } from './authorizers.ts';
import { readPart } from './broken-parts.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import type { RawTemplate } from './raw-template.ts';
import {
  binaryTypesOf,
  corsOf,
  type FunctionFinder,
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
      .map(([id, { properties }]) => ({
        id,
        properties: readPart(
          () => objectOf(resolveValue(properties, { ...scope, location: id })),
          {},
          (reason) => scope.warn(`${reason}; it is left out.`),
        ),
      }));
  return [...restRoutes(ofType, scope, functionOf), ...httpRoutes(ofType, scope, functionOf)];
}

type OfType = (type: string) => readonly Named[];

function restRoutes(ofType: OfType, scope: Scope, functionOf: FunctionFinder): readonly GatewayRoute[] {
  const methods = ofType('AWS::ApiGateway::Method');
  if (methods.length === 0) return [];
  const resources = new Map(ofType('AWS::ApiGateway::Resource').map(({ id, properties }) => [id, properties]));
  const stages = ofType('AWS::ApiGateway::Stage');
  const deployments = ofType('AWS::ApiGateway::Deployment');
  const apis = new Map(
    ofType('AWS::ApiGateway::RestApi').map((api) => [api.id, restApi(api, stages, deployments)] as const),
  );
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

  return methods.flatMap(({ id, properties }): readonly GatewayRoute[] => {
    const api = apis.get(textOf(properties.RestApiId) ?? '');
    const target = restTarget(objectOf(properties.Integration), functionOf);
    if (api === undefined) return [];
    if (target === undefined) {
      scope.warn(`${id}: openray serves only functions (AWS_PROXY) and mocks; this route is left out.`);
      return [];
    }
    return [
      {
        api,
        target,
        method: methodOf(textOf(properties.HttpMethod)),
        path: pathOf(textOf(properties.ResourceId) ?? '') || '/',
        authorization: authorizationOf(properties, authorizers),
      },
    ];
  });
}

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

/** With the headers that are constants, `'…'`; headers from an expression are left out. */
function mockTarget(integration: JsonObject): RouteTarget {
  const response = objectOf(listOf(integration.IntegrationResponses)[0]);
  const headers = Object.entries(objectOf(response.ResponseParameters)).flatMap(([name, value]) => {
    const [, header] = /^method\.response\.header\.(.+)$/.exec(name) ?? [];
    const [, text] = /^'(.*)'$/s.exec(String(value)) ?? [];
    return header === undefined || text === undefined ? [] : [[header, text] as const];
  });
  return { kind: 'fixed', status: numberOr(response.StatusCode, 200), headers };
}

function httpRoutes(ofType: OfType, scope: Scope, functionOf: FunctionFinder): readonly GatewayRoute[] {
  const stages = ofType('AWS::ApiGatewayV2::Stage');
  const integrations = new Map(
    ofType('AWS::ApiGatewayV2::Integration').map(({ id, properties }) => [id, properties] as const),
  );
  const authorizers = new Map(
    ofType('AWS::ApiGatewayV2::Authorizer').map(
      ({ id, properties }) => [id, readHttpAuthorizer(id, properties, functionOf)] as const,
    ),
  );
  const routes = ofType('AWS::ApiGatewayV2::Route');
  return ofType('AWS::ApiGatewayV2::Api').flatMap((named): readonly GatewayRoute[] => {
    const { id, properties } = named;
    if (textOf(properties.ProtocolType) === 'WEBSOCKET') {
      scope.warn(`${id}: openray has no WebSocket APIs; its routes are left out.`);
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
    return [...own, ...quickRoute].flatMap((route): readonly GatewayRoute[] => {
      const target = httpTarget(textOf(route.properties.Target) ?? '', integrations, functionOf);
      if (target === undefined) {
        scope.warn(`${route.id}: openray serves only functions (AWS_PROXY); this route is left out.`);
        return [];
      }
      const [, method, path] = /^(\S+) (\/.*)$/.exec(textOf(route.properties.RouteKey) ?? '') ?? [];
      const authorization = authorizationOf(route.properties, authorizers);
      return [{ api, target, authorization, method: methodOf(method), path: path ?? '$default' }];
    });
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
