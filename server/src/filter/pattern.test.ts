import { expect, test } from 'vitest';
import { compilePattern, MAX_PATTERN_LENGTH } from './pattern.ts';

function finds(source: string, text: string): boolean {
  const reading = compilePattern(source);
  if (!reading.ok) throw new Error(reading.reason);
  return reading.pattern(text);
}

test.each([
  ['order', 'my order 7', true],
  ['^order', 'my order 7', false],
  ['(?i)ORDER \\d+$', 'my order 7', true],
  ['a.b', 'a\nb', true],
  ['(?-s)a.b', 'a\nb', false],
  ['a$', 'a\nb', false],
  ['^.$', '😀', true],
  ['', '', true],
])('%j in %j is %s, as in ClickHouse', (source, text, expected) => {
  expect(finds(source, text)).toBe(expected);
});

test.each([
  '(?=a)',
  '(?<!a)b',
  '(a)\\1',
  'a**',
  'a{1001}',
  '(a{100}){100}',
  '[',
  '(',
  '\\',
  '*',
  '\\Z',
  '\0',
  '\ud800',
])('%j is not a pattern, as in ClickHouse', (source) => {
  expect(compilePattern(source)).toMatchObject({ ok: false, reason: expect.stringMatching(/^the pattern is \S/) });
});

test('the length and the compiled size of patterns are limited', () => {
  expect(compilePattern('a'.repeat(MAX_PATTERN_LENGTH)).ok).toBe(true);
  expect(compilePattern('a'.repeat(MAX_PATTERN_LENGTH + 1)).ok).toBe(false);
  expect(compilePattern('(?:abcdefghij){100}').ok).toBe(false);
});

test('a pattern that is exponential for a backtracking matcher takes linear time', () => {
  // Twenty milliseconds; a matcher that took quadratic time would run for hours.
  const text = `${'a'.repeat(1_000_000)}!`;
  expect(finds('^(a+)+$', text)).toBe(false);
  expect(finds('(x+x+)+y|(a|aa)+$', text)).toBe(false);
});
