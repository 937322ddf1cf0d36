import { expect, test } from 'vitest';
import { newHourlyLimit } from './ignored-logs.ts';

test('each client is due once an hour', () => {
  let nowMs = 0;
  const isDue = newHourlyLimit(() => nowMs);
  expect([isDue('a'), isDue('a'), isDue('b'), isDue('b')]).toEqual([true, false, true, false]);
  nowMs = 3_599_999;
  expect([isDue('a'), isDue('b')]).toEqual([false, false]);
  nowMs = 3_600_000;
  expect([isDue('a'), isDue('a')]).toEqual([true, false]);
});
