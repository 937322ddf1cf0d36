import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { atMostEvery, type ChangedTraces, isAffected, LIVE, liveTrace, withChangedTraces } from './live.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first call runs at once, calls within the interval run once at its end', () => {
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

test('no run follows a cancel', () => {
  const action = vi.fn();
  const { run, cancel } = atMostEvery(1000, action);
  run();
  run();
  cancel();
  vi.advanceTimersByTime(5000);
  expect(action).toHaveBeenCalledTimes(1);
});

const received = (...traceIds: string[]) => ({ traces: traceIds.length, traceIds, atUs: 1 });

test('the query of one trace is fetched again only when documents of that trace are stored', () => {
  const arrived = withChangedTraces(withChangedTraces(new Set<string>(), received('a')), received('b'));
  expect(isAffected(liveTrace('a'), arrived)).toBe(true);
  expect(isAffected(liveTrace('c'), arrived)).toBe(false);
  expect(isAffected(LIVE, arrived)).toBe(true);
  expect(isAffected(undefined, arrived)).toBe(false);
});

test('an event with the most ids may not name every trace, so it affects them all', () => {
  const full = withChangedTraces(new Set(), received(...Array.from({ length: 100 }, (_, index) => String(index))));
  const later: ChangedTraces = withChangedTraces(full, received('a'));
  expect(later).toBe('any');
  expect(isAffected(liveTrace('c'), later)).toBe(true);
});
