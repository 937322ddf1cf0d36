import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, memberOf, objectOf, textOf } from '../../model/json.ts';
import { decodeText } from '../../model/text-encoding.ts';
import type { GatewayApi, GatewayRoute, RouteTarget } from '../spec/routes.ts';
import { type ApiAuth, samEventAuthorization } from './authorizers.ts';
import { readPart } from './broken-parts.ts';
import { isIntrinsic } from './globals.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import { shown } from './member-rules.ts';
import type { RawTemplate } from './raw-template.ts';
import { type FunctionFinder, fixedHeaders, HTTP_TIMEOUT_MS, methodOf, REST_TIMEOUT_MS } from './route-values.ts';
import { parseTemplateText } from './text.ts';
import { numberOr } from './values.ts';

/** An API whose routes are an OpenAPI document, in the template or in a file beside it. */
export type DefinedApi = {
  readonly logicalId: string;
  readonly api: GatewayApi;
  readonly auth: ApiAuth;
  /** Name of the property that holds the document, and its value before intrinsic functions are evaluated. */
  readonly body: readonly [name: string, value: JsonValue | undefined];
  /** Name of the property that gives its location. */
  readonly location: readonly [name: string, value: JsonValue | undefined];
};

const INTEGRATION = 'x-amazon-apigateway-integration';
/** Members of a path that are operations. `X-Amazon-Apigateway-Any-Method` stands for all of them. */
const OPERATIONS: readonly string[] = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'ANY'];

/** Routes of an OpenAPI document, by the integration of each operation. A part that cannot be read gives a warning. */
export function definitionRoutes(
  defined: DefinedApi,
  raw: RawTemplate,
  scope: Scope,
  functionOf: FunctionFinder,
): readonly GatewayRoute[] {
  const { logicalId, api, auth } = defined;
  const found = findDocument(defined, raw, scope);
  if (found === undefined) return [];
  const { where, document } = found;
  const part = (key: string, value: JsonValue | undefined) => {
    const location = `${where}${key}`;
    const resolved = readPart(
      () => resolveValue(value, { ...scope, location }),
      {},
      (reason) => scope.warn(`${reason}; its routes are left out.`),
    );
    if (resolved !== undefined && !isJsonObject(resolved)) {
      scope.warn(`${location} is ${shown(resolved)}, not an object; its routes are left out.`);
    }
    return objectOf(resolved);
  };
  const { paths } = document;
  return Object.entries(isJsonObject(paths) && !isIntrinsic(paths) ? paths : part('.paths', paths)).flatMap(
    ([path, operations]) =>
      Object.entries(part(path, operations)).flatMap(([name, given]): readonly GatewayRoute[] => {
        const method = methodOf(name);
        if (!OPERATIONS.includes(method)) return [];
        const operation = objectOf(given);
        const integration = integrationOf(operation, document);
        // SAM adds the integration of a function's event to an operation without one.
        if (integration === undefined) return [];
        const target = targetOf(integration, api, functionOf);
        if (target === undefined) {
          scope.warn(
            `${where}${path}.${name}: openray serves only functions of this template and mocks; this route is left out.`,
          );
          return [];
        }
        const authorization = samEventAuthorization(auth, authOf(operation));
        return [{ api, method, path: path === '/$default' ? '$default' : path, authorization, target }];
      }),
  );

  function authOf(operation: JsonObject): JsonObject {
    const named = objectOf(operation['x-amazon-apigateway-auth']);
    const [scheme] = Array.isArray(operation.security) ? Object.keys(objectOf(operation.security[0])) : [];
    return named.Authorizer === undefined && scheme !== undefined ? { Authorizer: scheme } : named;
  }

  /** The document and its place, for warnings. */
  function findDocument({ body, location }: DefinedApi, { dir }: RawTemplate, { warn }: Scope) {
    const [bodyName, inline] = body;
    if (isJsonObject(inline)) return { where: `${logicalId}.${bodyName}`, document: inline };
    if (inline !== undefined && inline !== null) {
      warn(`${logicalId}.${bodyName} is ${shown(inline)}, not an object; its routes are left out.`);
    }
    const [name, value] = location;
    const where = `${logicalId}.${name}`;
    const uri = readPart(
      () => resolveValue(value, { ...scope, location: where }),
      undefined,
      (reason) => warn(`${reason}; its routes are left out.`),
    );
    if (uri === undefined) return undefined;
    if (typeof uri !== 'string' || /^(s3|https?):/.test(uri)) {
      warn(`${where} is ${shown(uri)}, which openray cannot read; name a local file. Its routes are left out.`);
      return undefined;
    }
    return readPart(
      () => ({ where: `${logicalId}: ${uri}`, document: readDocument(resolvePath(dir, uri), warn) }),
      undefined,
      (reason) => warn(`${where}: ${reason}; its routes are left out.`),
    );
  }
}

/** Throws SettingInvalid when the file is not a document. */
function readDocument(file: string, warn: Scope['warn']): JsonObject {
  let text: string;
  try {
    text = decodeText(readFileSync(file));
  } catch {
    throw new OpenrayError('SettingInvalid', `${file} cannot be read`);
  }
  return parseTemplateText(text, file, warn);
}

/** An integration may be a reference to one of `components`. */
function integrationOf(operation: JsonObject, document: JsonObject): JsonObject | undefined {
  const given = operation[INTEGRATION];
  if (!isJsonObject(given)) return undefined;
  const [, name] = /^#\/components\/x-amazon-apigateway-integrations\/(.+)$/.exec(textOf(given.$ref) ?? '') ?? [];
  if (name === undefined) return given;
  return objectOf(memberOf(objectOf(objectOf(document.components)['x-amazon-apigateway-integrations']), name));
}

function targetOf(integration: JsonObject, { kind }: GatewayApi, functionOf: FunctionFinder): RouteTarget | undefined {
  const isRest = kind === 'rest';
  const type = textOf(integration.type)?.toUpperCase();
  if (isRest && type === 'MOCK') return mockTarget(integration);
  const functionId = functionOf(textOf(integration.uri) ?? '');
  if (functionId === undefined) return undefined;
  return {
    kind: 'function',
    functionId,
    payloadVersion: isRest || textOf(integration.payloadFormatVersion) === '1.0' ? '1.0' : '2.0',
    isStreamed: textOf(integration.responseTransferMode) === 'STREAM',
    timeoutMs: numberOr(integration.timeoutInMillis, isRest ? REST_TIMEOUT_MS : HTTP_TIMEOUT_MS),
  };
}

/** The default response, or the first one. */
function mockTarget({ responses }: JsonObject): RouteTarget {
  const all = objectOf(responses);
  const { statusCode, responseParameters } = objectOf(all.default ?? Object.values(all)[0]);
  return { kind: 'fixed', status: numberOr(statusCode, 200), headers: fixedHeaders(responseParameters) };
}
