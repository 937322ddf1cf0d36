import { parseJson, printJson } from './exact-json.ts';
import { ExactNumber } from './exact-number.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';

/** Changes from one JSON object to another: members to set, merged into existing objects, and paths to remove. */
export type Difference = { readonly set: JsonObject; readonly unset: readonly (readonly string[])[] };

/** `applyDifference(from, differenceOf(from, to))` equals `to`. Arrays are replaced as a whole. */
export function differenceOf(from: JsonObject, to: JsonObject): Difference {
  const set: [string, JsonValue][] = [];
  const unset: (readonly string[])[] = [];
  for (const [key, wanted] of Object.entries(to)) {
    const present = Object.hasOwn(from, key) ? from[key] : undefined;
    if (isJsonObject(wanted) && isJsonObject(present)) {
      const inside = differenceOf(present, wanted);
      if (Object.keys(inside.set).length > 0) set.push([key, inside.set]);
      for (const path of inside.unset) unset.push([key, ...path]);
    } else if (!isSame(present, wanted)) {
      set.push([key, wanted]);
    }
  }
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) unset.push([key]);
  return { set: Object.fromEntries(set), unset };
}

export function applyDifference(from: JsonObject, { set, unset }: Difference): JsonObject {
  return merged(unset.reduce(without, from), set);
}

/**
 * The part of a difference for members that are equal in `before` and `now`. Edited members are
 * not changed by it.
 */
export function withoutEdited({ set, unset }: Difference, before: JsonObject, now: JsonObject): Difference {
  return {
    set: unedited(set, before, now),
    unset: unset.flatMap((path) => uneditedPaths(path, valueAt(before, path), valueAt(now, path))),
  };
}

function unedited(set: JsonObject, before: JsonObject, now: JsonObject): JsonObject {
  const kept: [string, JsonValue][] = [];
  for (const [key, wanted] of Object.entries(set)) {
    const [was, is] = [valueAt(before, [key]), valueAt(now, [key])];
    if (isSame(was, is)) kept.push([key, wanted]);
    else if (isJsonObject(wanted) && isOpen(was) && isOpen(is)) kept.push([key, unedited(wanted, was ?? {}, is ?? {})]);
  }
  return Object.fromEntries(kept);
}

const isOpen = (value: JsonValue | undefined): value is JsonObject | undefined =>
  value === undefined || isJsonObject(value);

function uneditedPaths(
  path: readonly string[],
  was: JsonValue | undefined,
  is: JsonValue | undefined,
): readonly (readonly string[])[] {
  if (isSame(was, is)) return [path];
  if (!isJsonObject(was) || !isJsonObject(is)) return [];
  return Object.keys(was).flatMap((key) => uneditedPaths([...path, key], valueAt(was, [key]), valueAt(is, [key])));
}

function valueAt(from: JsonObject, path: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = from;
  for (const key of path) at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

function merged(from: JsonObject, set: JsonObject): JsonObject {
  const members = new Map(Object.entries(from));
  for (const [key, wanted] of Object.entries(set)) {
    const present = members.get(key);
    members.set(key, isJsonObject(wanted) && isJsonObject(present) ? merged(present, wanted) : wanted);
  }
  return Object.fromEntries(members);
}

function without(from: JsonObject, [key, ...rest]: readonly string[]): JsonObject {
  if (key === undefined || !Object.hasOwn(from, key)) return from;
  const members = new Map(Object.entries(from));
  const inner = members.get(key);
  if (rest.length === 0) members.delete(key);
  else if (isJsonObject(inner)) members.set(key, without(inner, rest));
  return Object.fromEntries(members);
}

/** Equal in any order of members. 0 and -0 are not equal. */
export function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof ExactNumber) return b instanceof ExactNumber && a.text === b.text;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

/** Equal once both are JSON: a member that is undefined is absent. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return isSame(asJson(a), asJson(b));
}

/** As JSON: without members that are undefined. */
export function asJson(value: unknown): JsonValue | undefined {
  return value === undefined ? undefined : parseJson(printJson(value));
}
