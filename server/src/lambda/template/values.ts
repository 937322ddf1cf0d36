import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** Values of a template as what they are meant to be; what is of another kind is empty. */

export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

export function textsOf(value: JsonValue | undefined): readonly string[] {
  return listOf(value).map(String);
}

/** Numbers are texts too. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

export function numberOr<Fallback>(value: JsonValue | undefined, fallback: Fallback): number | Fallback {
  const number = Number(value ?? Number.NaN);
  return Number.isFinite(number) ? number : fallback;
}

/** YAML's and CloudFormation's. */
export function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 'true';
}
