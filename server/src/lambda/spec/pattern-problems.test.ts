import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { fitsPattern } from '../services/event-pattern.ts';
import { patternProblems } from './pattern-problems.ts';

const OPERATORS = 'prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr, exists';

describe('a pattern that EventBridge refuses', () => {
  test.each([
    [{ a: [{ startsWith: 'x' }] }, `a: there is no operator "startsWith"; EventBridge has ${OPERATORS}`],
    [{ a: { b: [{ Prefix: 'x' }] } }, `a.b: there is no operator "Prefix"; EventBridge has ${OPERATORS}`],
    [
      { $or: [{ a: ['x'] }, { b: [{ contains: 'x' }] }] },
      `b: there is no operator "contains"; EventBridge has ${OPERATORS}`,
    ],
    [{ a: 'x' }, 'a must be a list of values or an object'],
    [{ a: [] }, 'a is an empty list'],
    [{ a: [['x']] }, 'a: a list cannot be in a list'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'a: a condition has one operator, not 2'],
    [{ a: [{}] }, 'a: a condition has one operator, not 0'],
    [{ a: [{ prefix: 1 }] }, 'a: prefix takes a text, or {"equals-ignore-case": text}, not 1'],
    [{ a: [{ suffix: { wildcard: '*' } }] }, /^a: suffix takes a text/],
    [{ a: [{ 'equals-ignore-case': ['x'] }] }, 'a: equals-ignore-case takes a text, not ["x"]'],
    [{ a: [{ wildcard: 'x**' }] }, /^a: wildcard takes a text with \*/],
    [{ a: [{ wildcard: 'x\\y' }] }, /^a: wildcard takes a text with \*/],
    [{ a: [{ 'anything-but': ['x', 1] }] }, /^a: anything-but takes texts, numbers/],
    [{ a: [{ 'anything-but': { numeric: ['>', 1] } }] }, /^a: anything-but takes texts, numbers/],
    [{ a: [{ 'anything-but': [] }] }, /^a: anything-but takes texts, numbers/],
    [{ a: [{ numeric: ['>', '1'] }] }, 'a: numeric takes a list such as [">", 0, "<=", 5], not [">","1"]'],
    [{ a: [{ numeric: ['!=', 1] }] }, /^a: numeric takes a list/],
    [{ a: [{ cidr: '10.0.0.0' }] }, 'a: cidr takes a block such as 10.0.0.0/24, not "10.0.0.0"'],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, /^a: cidr takes a block/],
    [{ a: [{ exists: 'true' }] }, 'a: exists takes true or false, not "true"'],
  ] as readonly (readonly [JsonObject, string | RegExp])[])('%j', (pattern, problem) => {
    const problems = patternProblems(pattern);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

test('any object is checked and matched without a failure, and the sentences are few and short', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (a, b) => {
      const problems = patternProblems(a as JsonObject);
      expect(problems.length).toBeLessThanOrEqual(10);
      expect(problems.every((problem) => problem.length < 400)).toBe(true);
      expect(typeof fitsPattern(b as JsonObject, a as JsonObject)).toBe('boolean');
    }),
  );
});
