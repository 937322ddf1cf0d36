import { isJsonObject, type JsonValue, objectOf, textOf } from '../../model/json.ts';
import { readPart } from './broken-parts.ts';
import { mergeGlobals } from './globals.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import {
  functionUrl,
  generatedValues,
  isFunction,
  type Place,
  type ResourceValue,
  resourceType,
} from './resource-types.ts';

type Values = Readonly<Record<string, ResourceValue>>;

/** The APIs that SAM makes for events that name none. */
const IMPLICIT_APIS = { ServerlessRestApi: 'AWS::Serverless::Api', ServerlessHttpApi: 'AWS::Serverless::HttpApi' };

/**
 * What `Ref` and `Fn::GetAtt` return, by logical id. The name of a resource may refer to names that refer only to
 * parameters; every other property may refer to all names.
 */
export function resourceValues(raw: RawTemplate, scope: Scope, place: Place): Values {
  const unnamed = Object.fromEntries(
    Object.keys(raw.resources).map((logicalId) => [logicalId, { ref: logicalId, attributes: {} }]),
  );
  const first = valuesOf(raw, { ...scope, resources: unnamed }, place);
  const named = valuesOf(raw, { ...scope, resources: first }, place);
  const generated = Object.entries(raw.resources).map(([logicalId, resource]) =>
    resource.type === 'AWS::Serverless::Function' ? valuesOfSam(logicalId, resource, raw, place) : {},
  );
  // Not Object.assign: it takes a resource of the name __proto__ for the prototype.
  const own: Values = Object.fromEntries([implicitApis(place), ...generated, named].flatMap(Object.entries));
  return { ...own, ...qualifiedValues(raw, { ...scope, resources: own }, place) };
}

function valuesOf(raw: RawTemplate, scope: Scope, place: Place): Values {
  return Object.fromEntries(
    Object.entries(raw.resources).map(([logicalId, { type, properties }]) => {
      const known = resourceType(type);
      if (known === undefined) return [logicalId, { ref: logicalId, attributes: {} }];
      const { nameKey = '', keys = [], value } = known;
      const read = (key: string): JsonValue | undefined =>
        readPart(
          // Not every value can be known this early; the property itself gives the warnings.
          () => resolveValue(properties[key], { ...scope, warn: () => undefined, location: `${logicalId}.${key}` }),
          undefined,
          (reason) => scope.warn(`${reason}; it is left out.`),
        );
      const name = read(nameKey);
      const own = Object.fromEntries(
        keys.flatMap((key) => {
          const resolved = read(key);
          return resolved === undefined ? [] : [[key, resolved]];
        }),
      );
      const physical = textOf(name) || logicalId;
      return [logicalId, value({ logicalId, name: physical, properties: own, place })];
    }),
  );
}

function valuesOfSam(logicalId: string, { properties }: Resource, raw: RawTemplate, place: Place): Values {
  const merged = mergeGlobals(objectOf(raw.globals.Function), properties);
  const options = { hasUrl: isJsonObject(merged.FunctionUrlConfig), hasRole: merged.Role === undefined };
  return generatedValues(logicalId, options, place);
}

function implicitApis(place: Place): Values {
  return Object.fromEntries(
    Object.entries(IMPLICIT_APIS).flatMap(([logicalId, type]) => {
      const value = resourceType(type)?.value({ logicalId, name: logicalId, properties: {}, place });
      return value === undefined ? [] : [[logicalId, value]];
    }),
  );
}

/** Values of aliases, versions and function URLs; here each of them is the function itself. */
function qualifiedValues(raw: RawTemplate, scope: Scope, place: Place): Values {
  return Object.fromEntries(
    Object.entries(raw.resources).flatMap(([logicalId, { type, properties }]): [string, ResourceValue][] => {
      const at = { ...scope, location: logicalId };
      const textOf = (value: JsonValue | undefined) =>
        readPart(
          () => String(resolveValue(value, at) ?? ''),
          '',
          (reason) => scope.warn(`${reason}; it is empty.`),
        );
      const functionOf = (value: JsonValue | undefined) => {
        const named = textOf(value);
        const found = Object.entries(scope.resources).find(
          ([id, { ref, attributes }]) =>
            isFunction(raw.resources[id]?.type ?? '') && [ref, attributes.Arn].includes(named),
        );
        return { id: found?.[0] ?? named, arn: found?.[1].attributes.Arn ?? named };
      };
      if (isFunction(type) && typeof properties.AutoPublishAlias === 'string') {
        const { arn } = functionOf({ Ref: logicalId });
        return qualifiedNames(logicalId, arn, properties.AutoPublishAlias);
      }
      if (type === 'AWS::Lambda::Url') {
        const { id, arn } = functionOf(properties.TargetFunctionArn);
        return [[logicalId, functionUrl(id, arn, place)]];
      }
      const isAlias = type === 'AWS::Lambda::Alias';
      if (!isAlias && type !== 'AWS::Lambda::Version') return [];
      const { arn } = functionOf(properties.FunctionName);
      const qualifier = isAlias ? textOf(properties.Name) || 'alias' : '$LATEST';
      return [[logicalId, qualifiedValue(arn, qualifier)]];
    }),
  );
}

/** SAM's names of the alias and the version that `AutoPublishAlias` makes. */
function qualifiedNames(logicalId: string, arn: string, alias: string): [string, ResourceValue][] {
  const value = qualifiedValue(arn, alias);
  const version = qualifiedValue(arn, '$LATEST');
  return [
    [`${logicalId}.Alias`, value],
    [`${logicalId}Alias${alias}`, value],
    [`${logicalId}.Version`, version],
  ];
}

function qualifiedValue(arn: string, qualifier: string): ResourceValue {
  return { ref: `${arn}:${qualifier}`, attributes: { AliasArn: arn, Version: qualifier } };
}
