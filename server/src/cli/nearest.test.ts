import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byNearest, nearestName } from './nearest.ts';

const NAMES = ['sqs', 's3', 'sns', 'kinesis', 'CreateOrder', 'DeleteOrder'];

test.each([
  ['s4', 's3'],
  ['kinesys', 'kinesis'],
  ['createorder', 'CreateOrder'],
  ['CreateOrders', 'CreateOrder'],
  ['nothing-like-it', undefined],
  ['', undefined],
])('%j is probably %s', (text, name) => {
  expect(nearestName(text, NAMES)).toBe(name);
});

test('all names stay, and an exact name comes first', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.string(), (names, text) => {
      const sorted = byNearest(text, [...names, text]);
      expect(sorted.toSorted()).toEqual([...names, text].toSorted());
      expect(sorted[0]?.toLowerCase()).toBe(text.toLowerCase());
    }),
  );
});

test('a long text has no nearest name', () => {
  expect(nearestName('x'.repeat(1_000_000), NAMES)).toBeUndefined();
});
