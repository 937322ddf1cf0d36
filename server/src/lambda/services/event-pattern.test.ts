import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { patternProblems } from '../spec/pattern-problems.ts';
import { fitsPattern } from './event-pattern.ts';

/** A condition on one value, by row of EventBridge's table of operators; undefined is a value that is not there. */
const TABLE: readonly (readonly [row: string, condition: JsonValue, value: JsonValue | undefined, matches: boolean])[] =
  [
    ['anything-but', { 'anything-but': 'initializing' }, 'running', true],
    ['anything-but', { 'anything-but': 'initializing' }, 'initializing', false],
    ['anything-but', { 'anything-but': 'initializing' }, undefined, false],
    ['anything-but', { 'anything-but': 123 }, 124, true],
    ['anything-but', { 'anything-but': 123 }, 123, false],
    ['anything-but, list', { 'anything-but': ['stopped', 'overloaded'] }, 'overloaded', false],
    ['anything-but, list', { 'anything-but': [100, 200] }, 300, true],
    ['anything-but, list of the event', { 'anything-but': ['a'] }, ['a', 'b'], true],
    ['anything-but, begins with', { 'anything-but': { prefix: 'us-' } }, 'eu-west-1', true],
    ['anything-but, begins with', { 'anything-but': { prefix: 'us-' } }, 'us-east-1', false],
    ['anything-but, begins with, list', { 'anything-but': { prefix: ['us-', 'eu-'] } }, 'eu-west-1', false],
    ['anything-but, ends with', { 'anything-but': { suffix: '.png' } }, 'a.png', false],
    ['anything-but, ends with, list', { 'anything-but': { suffix: ['.png', '.jpg'] } }, 'a.gif', true],
    ['anything-but, ignore case', { 'anything-but': { 'equals-ignore-case': 'initializing' } }, 'INITIALIZING', false],
    ['anything-but, ignore case, list', { 'anything-but': { 'equals-ignore-case': ['a', 'b'] } }, 'C', true],
    ['anything-but, wildcard', { 'anything-but': { wildcard: '*/lib/*' } }, 'usr/lib/x', false],
    ['anything-but, wildcard', { 'anything-but': { wildcard: '*/lib/*' } }, 'usr/bin/x', true],
    ['anything-but, wildcard, list', { 'anything-but': { wildcard: ['*/lib/*', '*/bin/*'] } }, 'usr/bin/x', false],
    ['begins with', { prefix: 'us-' }, 'us-east-1', true],
    ['begins with', { prefix: 'us-' }, 'US-east-1', false],
    ['begins with', { prefix: '1' }, 12, false],
    ['begins with, ignore case', { prefix: { 'equals-ignore-case': 'eventb' } }, 'EventBridge', true],
    ['begins with, ignore case', { prefix: { 'equals-ignore-case': 'eventb' } }, 'Event', false],
    ['empty', '', '', true],
    ['empty', '', undefined, false],
    ['equals', 'Alice', 'Alice', true],
    ['equals', 'Alice', 'alice', false],
    ['equals', 100, 100, true],
    ['equals', 100, '100', false],
    ['equals', true, true, true],
    ['equals, ignore case', { 'equals-ignore-case': 'alice' }, 'ALICE', true],
    ['ends with', { suffix: '.png' }, 'a.png', true],
    ['ends with', { suffix: '.png' }, 'a.PNG', false],
    ['ends with, ignore case', { suffix: { 'equals-ignore-case': 'tbridge' } }, 'evenTBRIDGE', true],
    ['exists', { exists: true }, 'x', true],
    ['exists', { exists: true }, null, true],
    ['exists', { exists: true }, undefined, false],
    ['exists, an object is no leaf', { exists: true }, { a: 1 }, false],
    ['does not exist', { exists: false }, undefined, true],
    ['does not exist, an object is no leaf', { exists: false }, { a: 1 }, true],
    ['does not exist, an empty list', { exists: false }, [], true],
    ['IP address', { cidr: '10.0.0.0/24' }, '10.0.0.7', true],
    ['IP address', { cidr: '10.0.0.0/24' }, '10.0.1.7', false],
    ['IP address', { cidr: '10.0.0.7/24' }, '10.0.0.255', true],
    ['IP address', { cidr: '10.0.0.0/24' }, 'ten', false],
    ['IP address, version 6', { cidr: '2001:db8::/32' }, '2001:DB8:1::1', true],
    ['IP address, version 6', { cidr: '2001:db8::/32' }, '2001:db9::1', false],
    ['numeric, equals', { numeric: ['=', 100] }, 100, true],
    ['numeric, equals', { numeric: ['=', 100] }, '100', false],
    ['numeric, range', { numeric: ['>', 10, '<=', 20] }, 20, true],
    ['numeric, range', { numeric: ['>', 10, '<=', 20] }, 10, false],
    ['numeric, bound', { numeric: ['<', 10] }, 9.5, true],
    ['numeric, bound', { numeric: ['>=', 10] }, 9.5, false],
    ['null', null, null, true],
    ['null', null, undefined, false],
    ['wildcard', { wildcard: 'folder/*' }, 'folder/', true],
    ['wildcard', { wildcard: '*.png' }, 'a.png', true],
    ['wildcard', { wildcard: 'dir/*/x*y' }, 'dir/a/b/x1y', true],
    ['wildcard', { wildcard: 'a*a' }, 'a', false],
    ['wildcard, escaped', { wildcard: 'a\\*b\\\\*' }, 'a*b\\c', true],
    ['wildcard, escaped', { wildcard: 'a\\*b' }, 'axb', false],
    ['a list of the event', 'b', ['a', 'b'], true],
  ];

describe('a condition of EventBridge', () => {
  test.each(TABLE)('%s: %j, %j: %s', (_row, condition, value, matches) => {
    const event: JsonObject = value === undefined ? { other: 1 } : { field: value };
    expect(patternProblems({ field: [condition] })).toEqual([]);
    expect(fitsPattern(event, { field: [condition] })).toBe(matches);
  });
});

const EVENT = {
  source: 'shop.orders',
  detail: {
    amount: 12,
    state: null,
    name: 'Brian',
    items: [
      { sku: 'a', n: 1 },
      { sku: 'b', n: 2 },
    ],
  },
};

describe('an event and a pattern of several fields', () => {
  test.each([
    ['and', { source: ['shop.orders'], detail: { amount: [12] } }, true],
    ['and', { source: ['shop.orders'], detail: { amount: [13] } }, false],
    ['or, one field', { source: ['x', { prefix: 'shop.' }] }, true],
    ['or, several fields', { $or: [{ source: ['no'] }, { detail: { amount: [12] } }] }, true],
    ['or, several fields', { $or: [{ source: ['no'] }, { detail: { amount: [13] } }] }, false],
    ['or, nested', { detail: { $or: [{ name: ['x'] }, { amount: [{ numeric: ['>', 1] }] }] } }, true],
    ['or, within or', { $or: [{ source: ['no'] }, { $or: [{ source: ['no'] }, { source: ['shop.orders'] }] }] }, true],
    ['a list of objects, one element', { detail: { items: { sku: ['b'], n: [2] } } }, true],
    ['a list of objects, two elements', { detail: { items: { sku: ['a'], n: [2] } } }, false],
    ['fields of Object.prototype', { constructor: [{ exists: true }] }, false],
  ] as readonly (readonly [string, JsonObject, boolean])[])('%s: %j: %s', (_row, pattern, matches) => {
    expect(patternProblems(pattern)).toEqual([]);
    expect(fitsPattern(EVENT, pattern)).toBe(matches);
  });

  test('`$or` that joins nothing is the name of a field', () => {
    expect(fitsPattern({ $or: 'a' }, { $or: ['a'] })).toBe(true);
  });

  test('the pattern made of its own members, for any members', () => {
    const flat = fc.dictionary(
      fc.string().filter((key) => key !== '$or' && key !== '__proto__'),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    );
    fc.assert(
      fc.property(flat, (event) =>
        fitsPattern(event, Object.fromEntries(Object.entries(event).map(([key, value]) => [key, [value]]))),
      ),
    );
  });
});

test('a wildcard matches as the same regular expression does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.') });
  const wildcard = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*') }).map((made) => made.replace(/\*+/g, '*'));
  fc.assert(
    fc.property(text, wildcard, (value, made) => {
      const expression = new RegExp(`^${made.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      expect(fitsPattern({ value }, { value: [{ wildcard: made }] })).toBe(expression.test(value));
    }),
  );
});

test('a wildcard with many asterisks is matched without backtracking', () => {
  const pattern = { value: [{ wildcard: `${'*a'.repeat(2000)}*b` }] };
  expect(fitsPattern({ value: 'a'.repeat(100_000) }, pattern)).toBe(false);
});
