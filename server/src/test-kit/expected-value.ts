import { isDeepStrictEqual } from 'node:util';

/**
 * What a value is held against: the same text, number or yes/no; a pattern; a question; what vitest and jest make with
 * `expect.any(…)` and the like; or a structure, all of which must be there.
 */
export type ExpectedValue =
  | string
  | number
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
  if (isPlain(expected) && isPlain(value)) {
    return Object.entries(expected).every(([key, part]) => isAsExpected(value[key], part));
  }
  return isDeepStrictEqual(value, expected);
}

/** For a sentence. */
export function showValue(value: unknown): string {
  if (value instanceof RegExp || isAsymmetric(value)) return String(value);
  if (typeof value === 'function') return value.name === '' ? 'what was asked for' : value.name;
  return JSON.stringify(value) ?? 'nothing';
}

function isAsymmetric(value: unknown): value is { asymmetricMatch(value: unknown): boolean } {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
