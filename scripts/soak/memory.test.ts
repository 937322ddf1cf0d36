import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryTrend } from './memory.ts';

test('a line is found again', () => {
  const line = fc.record({ start: fc.integer({ min: 1e8, max: 1e9 }), step: fc.integer({ min: -1000, max: 1e6 }) });
  fc.assert(
    fc.property(line, fc.integer({ min: 2, max: 50 }), ({ start, step }, count) => {
      const samples = Array.from({ length: count }, (_, at) => ({ atMs: at * 1000, bytes: start + at * step }));
      expect(memoryTrend(samples).growthBytes / (count - 1)).toBeCloseTo(step, 0);
    }),
  );
});

test('memory that goes up and down is flat, memory that grows by a fifth is not', () => {
  const samples = (bytesAt: (index: number) => number) =>
    Array.from({ length: 100 }, (_, index) => ({ atMs: index * 1000, bytes: bytesAt(index) }));
  expect(memoryTrend(samples((index) => 500 + 100 * (index % 2))).isFlat).toBe(true);
  expect(memoryTrend(samples((index) => 500 + index)).isFlat).toBe(false);
});

test('one sample has no trend', () => {
  expect(() => memoryTrend([{ atMs: 1, bytes: 1 }])).toThrow('fewer than two samples');
});
