import { type AnyNumber, ExactNumber, isNumber } from './exact-number.ts';

/** JSON as `parseJson` gives it. Print it with `printJson`. */
export type JsonValue = string | AnyNumber | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** The member that `map` itself has: names such as `constructor`, which every object inherits, are not members. */
export function memberOf<T>(map: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** The text; undefined if `value` is another type or empty: exporters write `""` for unknown values. */
export function readText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The object; undefined if `value` is another type. */
export function readObject(value: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

/** The object; `{}` when `value` is anything else. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The list; `[]` when `value` is anything else. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** A string as it is, a number as text; undefined when `value` is anything else. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' || isNumber(value) ? String(value) : undefined;
}

/**
 * The members that have a value; undefined when none has. Only for fixed keys: `__proto__` would not become a member.
 */
export function definedMembers(members: { readonly [key: string]: JsonValue | undefined }): JsonObject | undefined {
  let defined: { [key: string]: JsonValue } | undefined;
  for (const key in members) {
    const value = members[key];
    if (value === undefined) continue;
    defined ??= {};
    defined[key] = value;
  }
  return defined;
}
