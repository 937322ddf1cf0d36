import { type AnyNumber, doubleOf, ExactNumber, integerText, numberOf } from '../exact-number.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { AnyValue, KeyValue } from '../otlp-messages.ts';

/** A value from plain JSON: whole numbers become integers, null becomes the empty value. */
export function anyValueOf(plain: JsonValue): AnyValue {
  if (typeof plain === 'string') return { stringValue: plain };
  if (typeof plain === 'boolean') return { boolValue: plain };
  if (typeof plain === 'number') return numberValue(plain);
  if (plain instanceof ExactNumber) return exactValue(plain);
  if (plain === null) return {};
  if (isJsonObject(plain)) {
    const values = Object.entries(plain).map(([key, value]) => ({ key, value: anyValueOf(value) }));
    return { kvlistValue: values.length > 0 ? { values } : {} };
  }
  return { arrayValue: plain.length > 0 ? { values: plain.map(anyValueOf) } : {} };
}

function numberValue(number: number): AnyValue {
  if (Object.is(number, -0)) return { doubleValue: '-0' };
  return Number.isSafeInteger(number) ? { intValue: String(number) } : { doubleValue: number };
}

/** AnyValue has integers of 64 bits and doubles. A number beyond the range of both becomes a text. */
function exactValue(number: ExactNumber): AnyValue {
  const double = doubleOf(number);
  if (Object.is(double, -0)) return { doubleValue: '-0' };
  const integer = integerText(number, MAX_INT64_DIGITS);
  if (integer !== undefined && isInt64(BigInt(integer))) return { intValue: integer };
  return Number.isFinite(double) ? { doubleValue: double } : { stringValue: number.text };
}

const MAX_INT64_DIGITS = 19;
const isInt64 = (integer: bigint): boolean => BigInt.asIntN(64, integer) === integer;

/**
 * A value as plain JSON: bytes in base64, NaN and infinities by name, the empty value as null. Integers beyond 2^53 and
 * -0 keep their digits.
 */
export function plainOf(value: AnyValue | undefined): JsonValue {
  if (value === undefined) return null;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return integerOf(value.intValue);
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.doubleValue !== undefined) return value.doubleValue === '-0' ? NEGATIVE_ZERO : value.doubleValue;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainOf);
  if (value.kvlistValue !== undefined) return plainObject(value.kvlistValue.values ?? []);
  return value.bytesValue ?? null;
}

/** Fifteen digits fit into every double. */
const integerOf = (text: string): AnyNumber => (text.length <= 15 ? Number(text) : numberOf(text));
const NEGATIVE_ZERO = new ExactNumber('-0');

/** Of a repeated key the last value counts. */
export function plainObject(entries: readonly KeyValue[]): JsonObject {
  return Object.fromEntries(entries.map(({ key = '', value }) => [key, plainOf(value)]));
}
