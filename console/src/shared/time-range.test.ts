import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeTimeRange, printTimeRange, RELATIVE_RANGES, readTimeRange, windowOf } from './time-range.ts';

test('every offered range reads and prints as itself', () => {
  for (const text of RELATIVE_RANGES) {
    const range = readTimeRange(text);
    expect(range && printTimeRange(range)).toBe(text);
  }
});

test('any relative range survives the URL', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999 }), (seconds) => {
      const range = { kind: 'relative', seconds } as const;
      expect(readTimeRange(printTimeRange(range))).toEqual(range);
    }),
  );
});

test('any absolute range survives the URL, to the millisecond', () => {
  const millisecond = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(millisecond, fc.integer({ min: 1, max: 1_000_000_000 }), (fromMs, lengthMs) => {
      const range = { kind: 'absolute', fromUs: fromMs * 1000, toUs: (fromMs + lengthMs) * 1000 } as const;
      expect(readTimeRange(printTimeRange(range))).toEqual(range);
    }),
  );
});

test('any text is read without an exception, and every range that is read can be printed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const range = readTimeRange(text);
      if (range) expect(readTimeRange(printTimeRange(range))).toEqual(range);
    }),
  );
});

test.each(['', '0m', '5', 'm', '5 m', '5y', '2026-01-02T00:00:00Z/2026-01-01T00:00:00Z', 'a/b', 'a/b/c'])(
  '%o is not a range',
  (text) => expect(readTimeRange(text)).toBeUndefined(),
);

test('the interval of a relative range ends one second after now', () => {
  expect(windowOf('5m', 1_000_000_000)).toEqual({ fromUs: 700_000_000, toUs: 1_001_000_000 });
});

test('the interval of an absolute range does not depend on the current time', () => {
  const text = '2026-01-01T00:00:00.000Z/2026-01-01T01:00:00.000Z';
  expect(windowOf(text, 5)).toEqual({ fromUs: 1_767_225_600_000_000, toUs: 1_767_229_200_000_000 });
});

test('an invalid range means the default range', () => {
  expect(windowOf('nonsense', 7_200_000_000)).toEqual(windowOf('1h', 7_200_000_000));
});

test('ranges have a description in words', () => {
  expect(describeTimeRange('15m')).toBe('last 15 minutes');
  expect(describeTimeRange('1h')).toBe('last hour');
  expect(describeTimeRange('24h')).toBe('last 24 hours');
  expect(describeTimeRange('7d')).toBe('last 7 days');
  expect(describeTimeRange('90s')).toBe('last 90 seconds');
});
