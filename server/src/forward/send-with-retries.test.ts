import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRetryAfter, retryDelayMs } from './send-with-retries.ts';

test('each delay is about twice the one before, up to 30 seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((failures) => retryDelayMs(failures, 0, () => 0.5))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ]);
});

test('jitter is 20 percent, and no delay is shorter than the backend asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(100_000), (failures, retryAfterMs) => {
      const delayMs = retryDelayMs(failures, retryAfterMs);
      expect(delayMs).toBeGreaterThanOrEqual(Math.max(800, retryAfterMs));
      expect(delayMs).toBeLessThanOrEqual(Math.max(36_000, retryAfterMs));
    }),
  );
});

const NOW_MS = Date.parse('2026-05-24T14:00:00Z');

test.each([
  ['2', 2_000],
  [' 0 ', 0],
  ['Sun, 24 May 2026 14:00:05 GMT', 5_000],
  ['Sun, 24 May 2026 13:00:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
])('Retry-After %j is %s ms', (header, ms) => {
  expect(readRetryAfter(header, NOW_MS)).toBe(ms);
});
