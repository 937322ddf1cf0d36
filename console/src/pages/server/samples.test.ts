import { expect, test } from 'vitest';
import { aServerStatus } from '../../testing/server-status.ts';
import { ratePerSecond, rateSeries, type Samples, total, withSample } from './samples.ts';

const every2Seconds = (counts: readonly number[]): Samples =>
  counts.map((stored, index) => aServerStatus({ Time: 2_000 + index * 2, stored }));

test('a rate covers the last ten seconds, or all samples where they cover less', () => {
  const stored = (samples: Samples) => ratePerSecond(samples, (status) => total(status, 'Stored'));
  expect(stored([])).toBeUndefined();
  expect(stored(every2Seconds([5]))).toBeUndefined();
  expect(stored(every2Seconds([5, 25]))).toBe(10);
  expect(stored(every2Seconds([0, 1000, 1010, 1020, 1030, 1040, 1050]))).toBe(5);
});

test('the series has the rates of stored and lost documents of each interval', () => {
  const samples = [
    aServerStatus({ Time: 2_000, stored: 10 }),
    aServerStatus({ Time: 2_002, stored: 30, dropped: 4 }),
    aServerStatus({ Time: 2_003, stored: 30, dropped: 4 }),
  ];
  expect(rateSeries(samples)).toEqual([
    { endUs: 2_002e6, stored: 10, lost: 2 },
    { endUs: 2_003e6, stored: 0, lost: 0 },
  ]);
});

test('a restart drops earlier samples, and only the last five minutes are kept', () => {
  const before = every2Seconds([1, 2, 3]);
  const restarted = aServerStatus({ Time: 2_100, StartTime: 2_090, stored: 0 });
  expect(withSample(before, restarted)).toEqual([restarted]);
  let samples: Samples = [];
  for (let index = 0; index < 400; index++)
    samples = withSample(samples, aServerStatus({ Time: index, stored: index }));
  expect(samples).toHaveLength(150);
  expect(samples.at(-1)?.Time).toBe(399);
});
