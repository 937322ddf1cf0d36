import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDurationUs, readTags } from './parameters.ts';

test.each([
  ['0', 0],
  ['1.2s', 1_200_000],
  ['100ms', 100_000],
  ['500us', 500],
  ['500µs', 500],
  ['1h15m30.5s', 4_530_500_000],
  ['.5ms', 500],
])('%s is %d microseconds', (text, us) => {
  expect(readDurationUs(text)).toBe(us);
});

test.each(['', '5', 's', '1 s', '-1s', '1s2', '1x'])('%j is not a duration', (text) => {
  expect(readDurationUs(text)).toBeUndefined();
});

test('a duration is the sum of its parts', () => {
  fc.assert(
    fc.property(fc.nat(99), fc.nat(59), fc.nat(59), (h, m, s) => {
      expect(readDurationUs(`${h}h${m}m${s}s`)).toBe(((h * 60 + m) * 60 + s) * 1e6);
    }),
  );
});

test('tags are read from pairs and from JSON; values may hold colons', () => {
  const tags = readTags(['url:http://a/b', 'n:'], ['{"error":"true","http.status_code":"500"}']);
  expect(tags).toEqual({ url: 'http://a/b', n: '', error: 'true', 'http.status_code': '500' });
});

test.each([
  [['novalue'], []],
  [[], ['[]']],
  [[], ['{']],
])('tags %j %j are rejected', (simple, json) => {
  expect(() => readTags(simple, json)).toThrow(/tag/);
});
