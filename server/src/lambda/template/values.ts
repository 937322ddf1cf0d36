import { isJsonObject, type JsonObject, type JsonValue, listOf } from '../../model/json.ts';

export function textsOf(value: JsonValue | undefined): readonly string[] {
  return listOf(value).map(String);
}

/** The number, also of a text; `fallback` when `value` is neither. */
export function numberOr<Fallback>(value: JsonValue | undefined, fallback: Fallback): number | Fallback {
  const number = Number(value ?? Number.NaN);
  return Number.isFinite(number) ? number : fallback;
}

/** CloudFormation accepts a boolean as text too. */
export function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 'true';
}

/** An object, or its JSON as text: CloudFormation accepts both. */
export function parsedObject(value: JsonValue | undefined): JsonObject | undefined {
  if (typeof value !== 'string') return isJsonObject(value) ? plainNumbers(value) : undefined;
  try {
    const parsed: JsonValue = JSON.parse(value);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Patterns compare numbers, and 1.0 is 1. */
function plainNumbers(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value));
}
