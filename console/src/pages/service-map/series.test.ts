import fc from 'fast-check';
import { expect, test } from 'vitest';
import { totalOf } from '../../shared/outcome.ts';
import { fillSeries, periodFor } from './series.ts';

const counts = { ok: 1, error: 0, throttle: 0, fault: 1 };
const minute = 60_000_000;

test('minutes without requests have points without requests', () => {
  const points = fillSeries([{ endUs: 3 * minute, counts }], { fromUs: 0, toUs: 5 * minute }, 60);
  expect(points.map(({ endUs }) => endUs / minute)).toEqual([1, 2, 3, 4, 5]);
  expect(points.map(({ counts: { fault } }) => fault)).toEqual([0, 0, 1, 0, 0]);
});

test('a short window has points of one minute, a longer one of five', () => {
  expect(periodFor({ fromUs: 0, toUs: 60 * minute })).toBe(60);
  expect(periodFor({ fromUs: 0, toUs: 180 * minute })).toBe(300);
});

test('in any window, no request is lost and there are at most 92 points', () => {
  const window = fc
    .record({ from: fc.integer({ min: 0, max: 1e6 }), length: fc.integer({ min: 1, max: 10_080 }) })
    .map(({ from, length }) => ({ fromUs: from * minute, toUs: (from + length) * minute }));
  fc.assert(
    fc.property(window, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (range, shares) => {
      const points = shares.map((at) => ({ endUs: range.fromUs + at * (range.toUs - range.fromUs), counts }));
      const filled = fillSeries(points, range, periodFor(range));
      expect(filled.reduce((sum, point) => sum + totalOf(point.counts), 0)).toBe(2 * points.length);
      expect(filled.length).toBeLessThanOrEqual(92);
    }),
  );
});
