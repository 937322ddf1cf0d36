import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Arrived, atMostEvery, concerns, LIVE, liveTrace, withReceived } from './live.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first request runs at once, those within the interval as one at its end', () => {
  const action = vi.fn();
  const { run } = atMostEvery(1000, action);
  run();
  expect(action).toHaveBeenCalledTimes(1);
  run();
  run();
  expect(action).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(action).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(5000);
  expect(action).toHaveBeenCalledTimes(2);
});

test('after it was cancelled nothing runs any more', () => {
  const action = vi.fn();
  const { run, cancel } = atMostEvery(1000, action);
  run();
  run();
  cancel();
  vi.advanceTimersByTime(5000);
  expect(action).toHaveBeenCalledTimes(1);
});

const received = (...traceIds: string[]) => ({ documents: traceIds.length, traceIds, atUs: 1 });

test('the page of one trace is read anew only when something of it arrived', () => {
  const arrived = withReceived(withReceived(new Set<string>(), received('a')), received('b'));
  expect(concerns(liveTrace('a'), arrived)).toBe(true);
  expect(concerns(liveTrace('c'), arrived)).toBe(false);
  expect(concerns(LIVE, arrived)).toBe(true);
  expect(concerns(undefined, arrived)).toBe(false);
});

test('a full message may not name every trace, so it concerns them all', () => {
  const full = withReceived(new Set(), received(...Array.from({ length: 100 }, (_, index) => String(index))));
  const later: Arrived = withReceived(full, received('a'));
  expect(later).toBe('any');
  expect(concerns(liveTrace('c'), later)).toBe(true);
});
