import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatPerSecond,
  formatRate,
  formatShare,
  formatTime,
} from './format.ts';

test.each([
  [0, '0 µs'],
  [412, '412 µs'],
  [999.6, '1 ms'],
  [38_240, '38.2 ms'],
  [1_028_490, '1.03 s'],
  [59_940_000, '59.9 s'],
  [59_960_000, '1 m 00 s'],
  [125_000_000, '2 m 05 s'],
  [11_400_000_000, '3 h 10 m'],
  [-5000, '-5 ms'],
])('a duration of %d µs', (us, text) => expect(formatDuration(us)).toBe(text));

test('an unknown duration is a dash', () => {
  expect(formatDuration(undefined)).toBe('–');
  expect(formatDuration(null)).toBe('–');
});

test.each([
  [7, '7'],
  [1204, '1,204'],
  [38_240, '38.2k'],
  [999_499, '999k'],
  [1_234_567, '1.23M'],
])('a count of %d', (count, text) => expect(formatCount(count)).toBe(text));

test.each([
  [0, '0/min'],
  [0.004, '<0.01/min'],
  [0.0333, '0.03/min'],
  [9.87, '9.9/min'],
  [38.4, '38/min'],
  [12_345, '12.3k/min'],
])('a rate of %d per minute', (rate, text) => expect(formatRate(rate)).toBe(text));

test.each([
  [0, '0 B'],
  [812, '812 B'],
  [999.6, '1 kB'],
  [38_240, '38.2 kB'],
  [128 * 1024 * 1024, '134 MB'],
  [1_204_000_000, '1.2 GB'],
  [3e15, '3000 TB'],
])('a size of %d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [undefined, '–'],
  [0, '0/s'],
  [0.01, '<0.1/s'],
  [0.42, '0.4/s'],
  [38.4, '38/s'],
  [12_345, '12.3k/s'],
])('a rate of %d per second', (rate, text) => expect(formatPerSecond(rate)).toBe(text));

test('a share above none and below all is not shown as 0 % or 100 %', () => {
  expect(formatShare(0, 10)).toBe('0 %');
  expect(formatShare(1, 100_000)).toBe('<0.1 %');
  expect(formatShare(99_999, 100_000)).toBe('>99.9 %');
  expect(formatShare(10, 10)).toBe('100 %');
  expect(formatShare(1, 3)).toBe('33 %');
  expect(formatShare(0, 0)).toBe('–');
});

test('a time is shown in the time zone of the browser, to the millisecond', () => {
  const local = new Date(2026, 2, 7, 14, 5, 9, 123);
  expect(formatTime(local.getTime() * 1000 + 400)).toBe('2026-03-07 14:05:09.123');
});

test('an exact count has the form of toLocaleString', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (count) => {
      expect(formatExact(count)).toBe(count.toLocaleString('en-US'));
    }),
  );
});
