import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { matchesPattern } from './event-pattern.ts';

const EVENT = { source: 'shop.orders', detail: { amount: 12, tags: ['a', 'b'], state: null, name: 'Brian' } };

describe('an event matches', () => {
  test.each([
    [{ source: ['shop.orders', 'x'] }, true],
    [{ source: [{ prefix: 'shop.' }] }, true],
    [{ source: [{ suffix: '.carts' }] }, false],
    [{ source: [{ wildcard: 'shop.*s' }] }, true],
    [{ detail: { tags: ['b'] } }, true],
    [{ detail: { amount: [{ numeric: ['>', 10, '<=', 12] }] } }, true],
    [{ detail: { amount: [{ numeric: ['>', 10, '<', 12] }] } }, false],
    [{ detail: { state: [null] } }, true],
    [{ detail: { name: [{ 'equals-ignore-case': 'brian' }] } }, true],
    [{ detail: { name: [{ 'anything-but': ['Brian', 'Dan'] }] } }, false],
    [{ detail: { name: [{ 'anything-but': { prefix: 'D' } }] } }, true],
    [{ detail: { nothing: [{ exists: false }], amount: [{ exists: true }] } }, true],
    [{ $or: [{ source: ['no'] }, { detail: { amount: [12] } }] }, true],
    [{ detail: { name: [{ unknown: 1 }] } }, false],
  ] as readonly (readonly [JsonObject, boolean])[])('%j: %s', (pattern, fits) => {
    expect(matchesPattern(EVENT, pattern)).toBe(fits);
  });

  test('the pattern made of its own members, for any members', () => {
    const flat = fc.dictionary(
      fc.string().filter((key) => key !== '$or' && key !== '__proto__'),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    );
    fc.assert(
      fc.property(flat, (event) =>
        matchesPattern(event, Object.fromEntries(Object.entries(event).map(([key, value]) => [key, [value]]))),
      ),
    );
  });
});
