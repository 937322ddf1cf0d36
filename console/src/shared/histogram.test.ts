import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binTimes, entriesToUs, niceStep, percentileUs } from './histogram.ts';
import { axisLabels, bandOf, binsIn } from './histogram-brush.ts';

const anyTimes = fc.array(
  fc.record({ us: fc.integer({ min: 0, max: 100_000_000 }), count: fc.integer({ min: 1, max: 50 }) }),
  {
    minLength: 1,
    maxLength: 60,
  },
);

test('every request is in one bin, and bins join without gaps', () => {
  fc.assert(
    fc.property(anyTimes, (times) => {
      const { bins, total } = binTimes(times, 36);
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(total);
      expect(total).toBe(times.reduce((sum, { count }) => sum + count, 0));
      expect(bins.length).toBeLessThanOrEqual(38);
      for (const [index, bin] of bins.entries()) {
        expect(bin.toUs).toBeGreaterThan(bin.fromUs);
        if (index > 0) expect(bin.fromUs).toBe(bins[index - 1]?.toUs);
      }
    }),
  );
});

test('the band of all bins holds every time', () => {
  fc.assert(
    fc.property(anyTimes, (times) => {
      const { bins } = binTimes(times, 36);
      const band = bandOf(bins, { anchor: bins.length - 1, focus: 0 });
      for (const { us } of times) {
        expect(us).toBeGreaterThanOrEqual(band.minUs);
        expect(us).toBeLessThanOrEqual(band.maxUs);
      }
    }),
  );
});

test('a band covers the bins that it was made of', () => {
  const { bins } = binTimes(
    [1, 2, 3, 5, 8].map((s) => ({ us: s * 100_000, count: 1 })),
    20,
  );
  expect(binsIn(bins, bandOf(bins, { anchor: 2, focus: 4 }))).toEqual({ anchor: 2, focus: 4 });
  expect(binsIn(bins, { minUs: 9e9, maxUs: 10e9 })).toBeUndefined();
  expect(binsIn(bins, undefined)).toBeUndefined();
});

test('times over several decades have a logarithmic scale, others a linear one', () => {
  expect(
    binTimes(
      [
        { us: 1000, count: 1 },
        { us: 5000, count: 1 },
      ],
      36,
    ).scale,
  ).toBe('linear');
  expect(
    binTimes(
      [
        { us: 1000, count: 1 },
        { us: 500_000, count: 1 },
      ],
      36,
    ).scale,
  ).toBe('log');
});

test('no times make no bins', () => {
  expect(binTimes([], 36)).toEqual({ scale: 'linear', bins: [], total: 0 });
  expect(axisLabels({ scale: 'linear', bins: [], total: 0 })).toEqual([]);
});

test('labels lie within the axis, in order', () => {
  fc.assert(
    fc.property(anyTimes, (times) => {
      const positions = axisLabels(binTimes(times, 36)).map(({ at }) => at);
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      for (const at of positions) expect(at >= -1e-6 && at <= 1 + 1e-6).toBe(true);
    }),
  );
});

test('times too close for different labels have each label once', () => {
  const texts = axisLabels(binTimes([{ us: 863_400, count: 1 }], 36)).map(({ text }) => text);
  expect(texts).toEqual([...new Set(texts)]);
});

test('percentiles are times that occurred', () => {
  const times = entriesToUs([
    { Value: 0.2, Count: 1 },
    { Value: 0.1, Count: 98 },
    { Value: 3, Count: 1 },
  ]);
  expect(percentileUs(times, 0.5)).toBe(100_000);
  expect(percentileUs(times, 0.99)).toBe(200_000);
  expect(percentileUs(times, 1)).toBe(3_000_000);
  expect(percentileUs([], 0.5)).toBeUndefined();
});

test('steps are 1, 2 or 5 times a power of ten', () => {
  expect([0.3, 1, 1.2, 4, 7, 60, 1000].map(niceStep)).toEqual([0.5, 1, 2, 5, 10, 100, 1000]);
});
