import { isJsonObject, type JsonObject, objectOf, textOf } from '../../model/json.ts';
import { type GatewayApi, type GatewayRoute, NO_AUTHORIZATION } from '../spec/routes.ts';
import { type ApiAuth, readSamAuth, samEventAuthorization } from './authorizers.ts';
import { readPart } from './broken-parts.ts';
import { definitionRoutes } from './definition-routes.ts';
import type { FunctionEvent } from './function-events.ts';
import { mergeGlobals } from './globals.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import {
  FLAG,
  LIST,
  type MemberRule,
  type MemberRules,
  OBJECT,
  oneOf,
  shown,
  TEXT,
  validMembers,
} from './member-rules.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import { readResourceRoutes } from './resource-routes.ts';
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

const REST = 'AWS::Serverless::Api';
const HTTP = 'AWS::Serverless::HttpApi';
const IMPLICIT_REST = 'ServerlessRestApi';
const IMPLICIT_HTTP = 'ServerlessHttpApi';

/** Routes to these functions from their events, API definitions, API resources and function URLs. */
export function readRoutes(
  functionIds: readonly string[],
  events: readonly FunctionEvent[],
  raw: RawTemplate,
  scope: Scope,
): readonly GatewayRoute[] {
  const functionOf = functionFinder(functionIds, scope);
  const apis = readApis(raw, scope, functionOf);
  const documentRoutes = (logicalId: string, { api, auth, properties }: SamApi) => {
    const { DefinitionBody: body, DefinitionUri: location } = properties;
    const source = { logicalId, api, auth };
    return definitionRoutes(
      { ...source, body: ['DefinitionBody', body], location: ['DefinitionUri', location] },
      raw,
      scope,
      functionOf,
    );
  };
  const routes = functionIds
    .flatMap((functionId) => {
      const properties = functionProperties(functionId, raw);
      const own = events.filter((event) => event.functionId === functionId);
      return [
        ...own.flatMap((event) => eventRoute(event, apis, scope.warn)),
        ...readRoutePart(scope, () => urlRoutes(functionId, properties, raw, scope)),
      ];
    })
    .concat([...apis].flatMap(([logicalId, found]) => documentRoutes(logicalId, found)))
    .concat(readResourceRoutes(raw, scope, functionOf));
  const unsupported = routes.flatMap(({ authorization }) =>
    authorization.kind === 'unsupported' ? [authorization.description] : [],
  );
  for (const description of new Set(unsupported)) {
    scope.warn(`openray cannot run the authorizer ${description}: every caller is allowed.`);
  }
  return routes;
}

/** Routes of one part of an API. A broken part has none, with a warning. */
function readRoutePart(scope: Scope, read: () => readonly GatewayRoute[]): readonly GatewayRoute[] {
  return readPart(read, [], (reason) => scope.warn(`${reason}; its routes are left out.`));
}

/** Finds a function by logical id or by ARN: bare, qualified, or inside of `…/functions/ARN/invocations`. */
function functionFinder(functionIds: readonly string[], scope: Scope): FunctionFinder {
  const byName = new Map(functionIds.map((id) => [scope.resources[id]?.ref ?? id, id]));
  return (arn) => {
    const name = /:function:([^:/]+)/.exec(arn)?.[1] ?? arn;
    return byName.get(name) ?? (functionIds.includes(arn) ? arn : undefined);
  };
}

function functionProperties(functionId: string, raw: RawTemplate): JsonObject {
  const resource = raw.resources[functionId] as Resource;
  return resource.type === 'AWS::Serverless::Function'
    ? mergeGlobals(objectOf(raw.globals.Function), resource.properties)
    : resource.properties;
}

type SamApi = {
  readonly api: GatewayApi;
  readonly auth: ApiAuth;
  /** Before intrinsic functions are evaluated. */
  readonly properties: JsonObject;
};

/** APIs by logical id, with the two implicit APIs of SAM for events that name none. */
function readApis(raw: RawTemplate, scope: Scope, functionOf: FunctionFinder): ReadonlyMap<string, SamApi> {
  const declared = Object.entries(raw.resources).filter(([, { type }]) => type === REST || type === HTTP);
  const implicit: readonly (readonly [string, Resource])[] = [
    [IMPLICIT_REST, { type: REST, properties: { StageName: 'Prod' }, metadata: {} }],
    [IMPLICIT_HTTP, { type: HTTP, properties: {}, metadata: {} }],
  ];
  return new Map(
    [...implicit, ...declared].map(([logicalId, resource]) => [
      logicalId,
      readApi(logicalId, resource, raw, scope, functionOf),
    ]),
  );
}

function readApi(
  logicalId: string,
  resource: Resource,
  raw: RawTemplate,
  scope: Scope,
  functionOf: FunctionFinder,
): SamApi {
  const isRest = resource.type === REST;
  const globals = objectOf(raw.globals[isRest ? 'Api' : 'HttpApi']);
  const { DefinitionBody: _body, ...merged } = mergeGlobals(globals, resource.properties);
  const resolved = readPart(
    () => objectOf(resolveValue(merged, { ...scope, location: logicalId })),
    {},
    (reason) => scope.warn(`${reason}; ${logicalId} has only default values.`),
  );
  const properties = validMembers(logicalId, resolved, isRest ? REST_RULES : HTTP_RULES, scope.warn) ?? {};
  const api: GatewayApi = {
    kind: isRest ? 'rest' : 'http',
    id: shortId(logicalId),
    name: textOf(properties.Name) ?? logicalId,
    stage: textOf(properties.StageName) ?? (isRest ? 'Prod' : '$default'),
    isTraced: isRest && isTrue(properties.TracingEnabled),
    stageVariables: variablesOf(properties.Variables ?? properties.StageVariables),
    cors: corsOf(properties.Cors ?? properties.CorsConfiguration),
    binaryMediaTypes: binaryTypesOf(properties.BinaryMediaTypes),
  };
  return { api, auth: readSamAuth(objectOf(properties.Auth), isRest, functionOf), properties: resource.properties };
}

const CORS: MemberRule = {
  expects: 'a text, an object or true',
  isValid: (value) => isJsonObject(value) || typeof value === 'string' || typeof value === 'boolean',
};
const API_RULES: MemberRules = { Name: TEXT, StageName: TEXT, Auth: OBJECT };
const REST_RULES: MemberRules = {
  ...API_RULES,
  TracingEnabled: FLAG,
  Variables: OBJECT,
  Cors: CORS,
  BinaryMediaTypes: LIST,
};
const HTTP_RULES: MemberRules = { ...API_RULES, StageVariables: OBJECT, CorsConfiguration: CORS };
const URL_RULES: MemberRules = { Cors: OBJECT, InvokeMode: oneOf('BUFFERED', 'RESPONSE_STREAM') };

function eventRoute(
  { functionId, where, type, properties }: FunctionEvent,
  apis: ReadonlyMap<string, SamApi>,
  warn: Scope['warn'],
): readonly GatewayRoute[] {
  if (type !== 'Api' && type !== 'HttpApi') return [];
  const isRest = type === 'Api';
  const { Path: path, Method: method } = properties;
  // SAM accepts neither of them, for the default route of an HTTP API, or both.
  if ((path === undefined) !== (method === undefined)) {
    warn(`${where} has ${path === undefined ? 'a Method and no Path' : 'a Path and no Method'}; it is left out.`);
    return [];
  }
  const key = isRest ? 'RestApiId' : 'ApiId';
  const named = textOf(properties[key]);
  const own = apis.get(named ?? '');
  const isOwn = own !== undefined && (own.api.kind === 'rest') === isRest;
  if (named !== undefined && !isOwn) {
    warn(
      `${where}.${key} is ${shown(named)}, which is no ${isRest ? REST : HTTP} of this template; the implicit API has its route.`,
    );
  }
  const found = isOwn ? own : apis.get(isRest ? IMPLICIT_REST : IMPLICIT_HTTP);
  if (found === undefined) return [];
  return [
    {
      api: found.api,
      method: methodOf(textOf(properties.Method)),
      path: textOf(properties.Path) ?? '$default',
      authorization: samEventAuthorization(found.auth, objectOf(properties.Auth)),
      target: {
        kind: 'function',
        functionId,
        payloadVersion: isRest || textOf(properties.PayloadFormatVersion) === '1.0' ? '1.0' : '2.0',
        isStreamed: textOf(properties.ResponseTransferMode) === 'STREAM',
        timeoutMs: numberOr(properties.TimeoutInMillis, isRest ? REST_TIMEOUT_MS : HTTP_TIMEOUT_MS),
      },
    },
  ];
}

function urlRoutes(
  functionId: string,
  properties: JsonObject,
  raw: RawTemplate,
  scope: Scope,
): readonly GatewayRoute[] {
  const own = properties.FunctionUrlConfig;
  const resource = Object.values(raw.resources).find(({ type, properties: { TargetFunctionArn: target } }) => {
    if (type !== 'AWS::Lambda::Url') return false;
    const text = textOf(resolveValue(target, scope));
    return text === functionId || text?.endsWith(`:${scope.resources[functionId]?.ref}`) === true;
  });
  const where = `${functionId}.FunctionUrlConfig`;
  const given = resolveValue(own ?? resource?.properties, { ...scope, location: where });
  if (given === undefined) return [];
  if (!isJsonObject(given)) {
    scope.warn(`${where} is ${shown(given)}, not an object; the function has no URL.`);
    return [];
  }
  const value = validMembers(where, given, URL_RULES, scope.warn) ?? {};
  const api: GatewayApi = {
    kind: 'url',
    id: shortId(`${functionId} url`),
    name: functionId,
    stage: '$default',
    isTraced: false,
    stageVariables: undefined,
    cors: corsOf(value.Cors),
    binaryMediaTypes: [],
  };
  const isStreamed = textOf(value.InvokeMode) === 'RESPONSE_STREAM';
  const target = { kind: 'function', functionId, payloadVersion: '2.0', isStreamed, timeoutMs: undefined } as const;
  return [{ api, method: 'ANY', path: '$default', target, authorization: NO_AUTHORIZATION }];
}
