import { isDeepStrictEqual } from 'node:util';
import { printJson } from '../model/exact-json.ts';
import { compareNumbers, doubleOf, ExactNumber, isNumber, numberOf } from '../model/exact-number.ts';

/**
 * An expected value: an equal string, number or boolean; a bigint for a number that a double cannot hold; a pattern; a predicate; an asymmetric matcher of vitest or
 * jest such as `expect.any(…)`; or an object whose members the value must have.
 */
export type ExpectedValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | RegExp
  | ((value: unknown) => boolean)
  | { readonly [key: string]: unknown }
  | readonly unknown[];

export function isAsExpected(value: unknown, expected: unknown): boolean {
  if (expected instanceof RegExp) return typeof value === 'string' && expected.test(value);
  if (typeof expected === 'function') return expected(value) === true;
  if (isAsymmetric(expected)) return expected.asymmetricMatch(value);
  if (typeof expected === 'bigint') return isNumber(value) && compareNumbers(value, numberOf(String(expected))) === 0;
  // The expected number was rounded as well, where the test has it.
  if (typeof expected === 'number' && value instanceof ExactNumber) return doubleOf(value) === expected;
  if (isPlain(expected) && isPlain(value)) {
    return Object.entries(expected).every(([key, part]) => isAsExpected(value[key], part));
  }
  return isDeepStrictEqual(value, expected);
}

/** The expected value as text for a message. */
export function showValue(value: unknown): string {
  if (value instanceof RegExp || isAsymmetric(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return value.name === '' ? 'a matching value' : value.name;
  return value === undefined ? 'nothing' : printJson(value);
}

function isAsymmetric(value: unknown): value is { asymmetricMatch(value: unknown): boolean } {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
