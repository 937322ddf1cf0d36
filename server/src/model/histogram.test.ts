import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HistogramBuilder } from './histogram.ts';
import { addCounts, addDuration, binOf, quantile, totalOf } from './histogram.ts';

const durations = fc.array(fc.oneof(fc.nat(5_000), fc.nat(10_000_000), fc.nat(4_000_000_000)), { maxLength: 50 });

function histogramOf(durationsUs: readonly number[]) {
  const builder: HistogramBuilder = new Map();
  for (const durationUs of durationsUs) addDuration(builder, durationUs);
  return builder;
}

test('a bin is at most 1 % or half a millisecond away', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 100_000_000_000 }), (durationUs) => {
      const errorUs = Math.abs(binOf(durationUs) - durationUs);
      expect(errorUs).toBeLessThanOrEqual(Math.max(durationUs / 100, 500));
    }),
    { numRuns: 2_000, examples: [[2_499_999], [2_500_000], [9_999_999], [99_999], [100_000]] },
  );
});

test.each([0.001, 0.002, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3.5, 7.5, 10, 15, 29, 30, 45, 60, 900])(
  '%d s is a bin of its own',
  (seconds) => {
    expect(binOf(Math.round(seconds * 1e6)) / 1e6).toBe(seconds);
  },
);

test('a bin is its own bin, in seconds with at most three decimals', () => {
  fc.assert(
    fc.property(fc.nat(4_000_000_000), (durationUs) => {
      const bin = binOf(durationUs);
      expect(binOf(bin)).toBe(bin);
      expect(String(bin / 1e6)).toMatch(/^\d+(\.\d{1,3})?$/);
    }),
  );
});

test('durations below a millisecond count as one', () => {
  expect([0, 1, 499, 999].map(binOf)).toEqual([1_000, 1_000, 1_000, 1_000]);
});

test('longer durations never have a smaller bin', () => {
  fc.assert(
    fc.property(fc.nat(4_000_000_000), fc.nat(1_000_000), (durationUs, more) => {
      expect(binOf(durationUs + more)).toBeGreaterThanOrEqual(binOf(durationUs));
    }),
  );
});

test('a histogram counts every duration once', () => {
  fc.assert(fc.property(durations, (durationsUs) => totalOf(histogramOf(durationsUs)) === durationsUs.length));
});

test('parts add up, in any order, to the histogram of the whole, and can be subtracted again', () => {
  fc.assert(
    fc.property(durations, durations, (a, b) => {
      const sum: HistogramBuilder = new Map();
      addCounts(sum, histogramOf(b), 1);
      addCounts(sum, histogramOf(a), 1);
      expect(sum).toEqual(histogramOf([...a, ...b]));
      addCounts(sum, histogramOf(b), -1);
      expect(sum).toEqual(histogramOf(a));
    }),
  );
});

test('a quantile is the bin of the duration that has that rank', () => {
  fc.assert(
    fc.property(
      durations.filter((list) => list.length > 0),
      fc.integer({ min: 1, max: 100 }),
      (durationsUs, percent) => {
        const sorted = durationsUs.toSorted((a, b) => a - b);
        const rank = Math.ceil((percent * sorted.length) / 100);
        expect(quantile(histogramOf(durationsUs), percent / 100)).toBe(binOf(sorted[rank - 1] ?? 0));
      },
    ),
  );
});

test('an empty histogram has no quantile', () => {
  expect(quantile(new Map(), 0.5)).toBeUndefined();
});
