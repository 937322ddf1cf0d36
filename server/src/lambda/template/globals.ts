import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/**
 * `Globals` laid under a resource's own properties: maps are merged key by key, lists appended to the global ones,
 * everything else is replaced. An intrinsic function counts as one value.
 * @see https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
 */
export function mergeGlobals(globals: JsonObject, own: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...globals };
  for (const [key, value] of Object.entries(own)) {
    const global = globals[key];
    merged[key] = global === undefined ? value : mergeValue(global, value);
  }
  return merged;
}

function mergeValue(global: JsonValue, own: JsonValue): JsonValue {
  if (isIntrinsic(global) || isIntrinsic(own)) return own;
  if (Array.isArray(global) && Array.isArray(own)) return [...global, ...own];
  if (isJsonObject(global) && isJsonObject(own)) return mergeGlobals(global, own);
  return own;
}

function isIntrinsic(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === 'Ref' || keys[0]?.startsWith('Fn::') === true);
}
