import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTimeUs, secondsToUs, usToSeconds } from './time.ts';

const YEAR_2106_US = 2 ** 32 * 1e6;
const microseconds = fc.integer({ min: 0, max: YEAR_2106_US });

test('microseconds are the same after conversion to seconds and back', () => {
  fc.assert(fc.property(microseconds, (us) => secondsToUs(usToSeconds(us)) === us));
});

test('seconds with six decimals are exact microseconds', () => {
  fc.assert(
    fc.property(microseconds, (us) => {
      const decimals = `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
      expect(secondsToUs(JSON.parse(decimals))).toBe(us);
    }),
  );
});

test('seconds print with at most six decimals', () => {
  fc.assert(
    fc.property(microseconds, (us) => {
      const [, decimals = ''] = JSON.stringify(usToSeconds(us)).split('.');
      expect(decimals.length).toBeLessThanOrEqual(6);
    }),
    { examples: [[1], [1_716_560_001_877_212]] },
  );
});

test('the exponent form of Java SDKs is a valid time', () => {
  expect(secondsToUs(JSON.parse('1.478293361271E9'))).toBe(1_478_293_361_271_000);
});

test('fractions of a microsecond are rounded', () => {
  expect(secondsToUs(JSON.parse('1716560001.8772115'))).toBe(1_716_560_001_877_212);
  expect(secondsToUs(0.0000014)).toBe(1);
});

test.each([
  ['a text', '1716560000'],
  ['null', null],
  ['negative', -1],
  ['past 2255', 1e10],
  ['infinite', JSON.parse('1e999')],
])('%s is not a time', (_, value) => {
  expect(readTimeUs(value)).toBeUndefined();
});
