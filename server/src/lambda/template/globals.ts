import { isJsonObject, type JsonObject, type JsonValue, memberOf } from '../../model/json.ts';

/**
 * Merges `Globals` with a resource's own properties: maps key by key, own lists after global ones; any other own value
 * replaces the global one. An intrinsic function is one value.
 * @see https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
 */
export function mergeGlobals(globals: JsonObject, own: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...globals };
  for (const [key, value] of Object.entries(own)) {
    const global = memberOf(globals, key);
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

/** Whether the value is a call of an intrinsic function, in its long form. */
export function isIntrinsic(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === 'Ref' || keys[0]?.startsWith('Fn::') === true);
}
