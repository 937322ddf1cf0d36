import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { mergeGlobals } from '../globals.ts';
import { resolveValue, type Scope } from '../intrinsics.ts';
import type { RawTemplate, Resource } from '../template.ts';

export type Cors = {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly allowsCredentials: boolean;
};

/** An API of the template, or the URL of a function. */
export type GatewayApi = {
  readonly kind: 'rest' | 'http' | 'url';
  /** Ten characters, the same at every start. */
  readonly id: string;
  readonly name: string;
  readonly stage: string;
  /** Only REST APIs have tracing of their own. */
  readonly isTraced: boolean;
  readonly stageVariables: Readonly<Record<string, string>> | undefined;
  readonly cors: Cors | undefined;
  readonly binaryMediaTypes: readonly string[];
};

export type GatewayRoute = {
  readonly api: GatewayApi;
  /** In capitals; `ANY` for all. */
  readonly method: string;
  /** `/users/{id}`, `/{proxy+}`; `$default` takes what no other route of an HTTP API takes. */
  readonly path: string;
  /** Logical id of the function. */
  readonly functionId: string;
  readonly payloadVersion: '1.0' | '2.0';
  /** The answer may be sent while it is made. */
  readonly isStreamed: boolean;
};

const REST = 'AWS::Serverless::Api';
const HTTP = 'AWS::Serverless::HttpApi';
const IMPLICIT_REST = 'ServerlessRestApi';
const IMPLICIT_HTTP = 'ServerlessHttpApi';

/** What API Gateway and Lambda would route to these functions: events, inline definitions, function URLs. */
export function readRoutes(functionIds: readonly string[], raw: RawTemplate, scope: Scope): readonly GatewayRoute[] {
  const apis = readApis(raw, scope);
  return functionIds
    .flatMap((functionId) => {
      const properties = functionProperties(functionId, raw);
      const resolved = resolveValue(properties.Events, { ...scope, where: `${functionId}.Events` });
      const routes = Object.values(objectOf(resolved)).flatMap((event) =>
        eventRoute(functionId, objectOf(event), apis),
      );
      return [...routes, ...urlRoutes(functionId, properties, raw, scope)];
    })
    .concat(definitionRoutes(functionIds, raw, scope, apis));
}

function functionProperties(functionId: string, raw: RawTemplate): JsonObject {
  const resource = raw.resources[functionId] as Resource;
  return resource.type === 'AWS::Serverless::Function'
    ? mergeGlobals(objectOf(raw.globals.Function), resource.properties)
    : resource.properties;
}

/** By logical id; the two that SAM makes when an event names none are always there. */
function readApis(raw: RawTemplate, scope: Scope): ReadonlyMap<string, GatewayApi> {
  const declared = Object.entries(raw.resources).filter(([, { type }]) => type === REST || type === HTTP);
  const implicit: readonly (readonly [string, Resource])[] = [
    [IMPLICIT_REST, { type: REST, properties: { StageName: 'Prod' }, metadata: {} }],
    [IMPLICIT_HTTP, { type: HTTP, properties: {}, metadata: {} }],
  ];
  return new Map(
    [...implicit, ...declared].map(([logicalId, resource]) => [logicalId, readApi(logicalId, resource, raw, scope)]),
  );
}

function readApi(logicalId: string, resource: Resource, raw: RawTemplate, scope: Scope): GatewayApi {
  const isRest = resource.type === REST;
  const globals = objectOf(raw.globals[isRest ? 'Api' : 'HttpApi']);
  const { DefinitionBody: _body, ...merged } = mergeGlobals(globals, resource.properties);
  const properties = objectOf(resolveValue(merged, { ...scope, where: logicalId }));
  const variables = objectOf(properties.Variables ?? properties.StageVariables);
  return {
    kind: isRest ? 'rest' : 'http',
    id: shortId(logicalId),
    name: textOf(properties.Name) ?? logicalId,
    stage: textOf(properties.StageName) ?? (isRest ? 'Prod' : '$default'),
    isTraced: isRest && isTrue(properties.TracingEnabled),
    stageVariables: Object.keys(variables).length === 0 ? undefined : mapText(variables),
    cors: corsOf(properties.Cors ?? properties.CorsConfiguration),
    // SAM writes the slash as ~1, since these become keys.
    binaryMediaTypes: listOf(properties.BinaryMediaTypes).map((type) => type.replaceAll('~1', '/')),
  };
}

function eventRoute(
  functionId: string,
  event: JsonObject,
  apis: ReadonlyMap<string, GatewayApi>,
): readonly GatewayRoute[] {
  const properties = objectOf(event.Properties);
  if (event.Type !== 'Api' && event.Type !== 'HttpApi') return [];
  const isRest = event.Type === 'Api';
  const named = textOf(isRest ? properties.RestApiId : properties.ApiId);
  const api = apis.get(named ?? '') ?? apis.get(isRest ? IMPLICIT_REST : IMPLICIT_HTTP);
  if (api === undefined) return [];
  return [
    {
      api,
      functionId,
      method: methodOf(textOf(properties.Method)),
      path: textOf(properties.Path) ?? '$default',
      payloadVersion: isRest || textOf(properties.PayloadFormatVersion) === '1.0' ? '1.0' : '2.0',
      isStreamed: textOf(properties.ResponseTransferMode) === 'STREAM',
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
  const value = resolveValue(own ?? resource?.properties, { ...scope, where: `${functionId}.FunctionUrlConfig` });
  if (!isJsonObject(value)) return [];
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
  return [{ api, functionId, method: 'ANY', path: '$default', payloadVersion: '2.0', isStreamed }];
}

/** Routes of `DefinitionBody`: OpenAPI with `x-amazon-apigateway-integration`. */
function definitionRoutes(
  functionIds: readonly string[],
  raw: RawTemplate,
  scope: Scope,
  apis: ReadonlyMap<string, GatewayApi>,
): readonly GatewayRoute[] {
  return Object.entries(raw.resources).flatMap(([logicalId, { properties }]) => {
    const api = apis.get(logicalId);
    if (api === undefined || !isJsonObject(properties.DefinitionBody)) return [];
    const body = objectOf(resolveValue(properties.DefinitionBody, { ...scope, where: `${logicalId}.DefinitionBody` }));
    return Object.entries(objectOf(body.paths)).flatMap(([path, methods]) =>
      Object.entries(objectOf(methods)).flatMap(([method, operation]): readonly GatewayRoute[] => {
        const integration = objectOf(objectOf(operation)['x-amazon-apigateway-integration']);
        const uri = textOf(integration.uri) ?? '';
        const functionId = functionIds.find((id) => {
          const name = scope.resources[id]?.ref ?? id;
          return uri.includes(`:function:${name}/`) || uri.endsWith(`:function:${name}`);
        });
        if (functionId === undefined) return [];
        const version = textOf(integration.payloadFormatVersion);
        return [
          {
            api,
            functionId,
            path,
            method: methodOf(method),
            payloadVersion: api.kind === 'rest' || version === '1.0' ? '1.0' : '2.0',
            isStreamed: false,
          },
        ];
      }),
    );
  });
}

function methodOf(text = 'ANY'): string {
  const method = text.toUpperCase();
  return method === 'X-AMAZON-APIGATEWAY-ANY-METHOD' || method === '*' ? 'ANY' : method;
}

/** `"'*'"`, as SAM wants it for REST; a map; or `true`. */
function corsOf(value: JsonValue | undefined): Cors | undefined {
  if (value === undefined || value === false || value === null) return undefined;
  const map = isJsonObject(value) ? value : { AllowOrigin: typeof value === 'string' ? value : '*' };
  const list = (...keys: readonly string[]) => {
    const found = keys.map((key) => map[key]).find((entry) => entry !== undefined);
    return (typeof found === 'string' ? found.split(',') : listOf(found)).map((text) =>
      text.trim().replace(/^'|'$/g, ''),
    );
  };
  const maxAge = Number(String(map.MaxAge ?? '').replaceAll("'", '') || Number.NaN);
  const or = (texts: readonly string[], fallback: readonly string[]) => (texts.length === 0 ? fallback : texts);
  return {
    origins: or(list('AllowOrigins', 'AllowOrigin'), ['*']),
    methods: or(list('AllowMethods'), ['*']),
    headers: or(list('AllowHeaders'), ['*']),
    maxAgeSeconds: Number.isFinite(maxAge) ? maxAge : undefined,
    allowsCredentials: isTrue(map.AllowCredentials),
  };
}

function shortId(text: string): string {
  const hash = createHash('sha256').update(text).digest();
  return Array.from(hash.subarray(0, 10), (byte) => (byte % 36).toString(36)).join('');
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function mapText(map: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]));
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 'true';
}
