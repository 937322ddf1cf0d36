import { expect, test } from 'vitest';
import { clockSkewNotices } from './clock-skews.ts';

const shop = { name: 'shop', segment: undefined };
const byId = new Map<string, { name: string; segment: { name: string } | undefined }>([
  ['a', shop],
  ['b', { name: 'stock.example', segment: shop }],
  ['c', { name: 'stock', segment: undefined }],
  ['d', { name: 'stock', segment: undefined }],
]);

test('a sentence for each pair of services, with the largest difference', () => {
  const ClockSkews = [
    { Id: 'c', ParentId: 'b', Seconds: -3600 },
    { Id: 'd', ParentId: 'b', Seconds: -3599 },
    { Id: 'd', ParentId: 'a', Seconds: 2 },
  ];
  expect(clockSkewNotices({ ClockSkews }, { byId })).toEqual([
    { id: 'c', sentence: expect.stringMatching(/^The clock of stock is at least .*h.* behind the clock of shop\.$/) },
    { id: 'd', sentence: expect.stringMatching(/^The clock of stock is at least 2\b.* ahead of the clock of shop\.$/) },
  ]);
});

test('no sentence for a trace whose clocks agree', () => {
  expect(clockSkewNotices({}, { byId })).toEqual([]);
});
