import type { JsonObject, JsonValue } from '../../model/json.ts';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { readPart } from './broken-parts.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import type { RawTemplate } from './raw-template.ts';

/** Aliases and versions of a function: of resources of their own, and of SAM's `AutoPublishAlias`. */
export function readQualifiers(
  logicalId: string,
  properties: JsonObject,
  raw: RawTemplate,
  scope: Scope,
): Pick<FunctionSpec, 'aliases' | 'hasVersions'> {
  const own = scope.resources[logicalId];
  const published = resolveValue(properties.AutoPublishAlias, { ...scope, location: `${logicalId}.AutoPublishAlias` });
  // A broken part of an alias leaves the function as it is.
  const partOf = (value: JsonValue | undefined, at: Scope) =>
    readPart(
      () => resolveValue(value, at),
      undefined,
      (reason) => at.warn(`${reason}; it is empty.`),
    );
  const resources = Object.entries(raw.resources)
    .filter(([, { type }]) => type === 'AWS::Lambda::Alias' || type === 'AWS::Lambda::Version')
    .map(([id, resource]) => ({ ...resource, scope: { ...scope, location: id } }))
    .filter((resource) => {
      const named = String(partOf(resource.properties.FunctionName, resource.scope) ?? '');
      return named === own?.ref || named === own?.attributes.Arn;
    });
  const aliases = resources
    .filter(({ type }) => type === 'AWS::Lambda::Alias')
    .map((resource) => partOf(resource.properties.Name, resource.scope));
  const names = [published, ...aliases].filter((name) => typeof name === 'string');
  return { aliases: [...new Set(names)], hasVersions: typeof published === 'string' || resources.length > 0 };
}
