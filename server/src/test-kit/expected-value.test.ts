import { expect, test } from 'vitest';
import { parseJson } from '../model/exact-json.ts';
import { isAsExpected, showValue } from './expected-value.ts';

test('a bigint is a number of all its digits, a number the nearest double', () => {
  const stored = parseJson('9007199254740993');
  expect(isAsExpected(stored, 9007199254740993n)).toBe(true);
  expect(isAsExpected(stored, 9007199254740992n)).toBe(false);
  expect(isAsExpected(7, 7n)).toBe(true);
  expect(isAsExpected('7', 7n)).toBe(false);
  expect(isAsExpected(stored, 9007199254740992)).toBe(true);
  expect(isAsExpected({ order: stored }, { order: 9007199254740993n })).toBe(true);
  expect(showValue(9007199254740993n)).toBe('9007199254740993');
  expect(showValue(stored)).toBe('9007199254740993');
});
