import { expect, test } from 'vitest';
import { daysToDrop } from './retention.ts';

const days = [
  { day: 10, bytes: 100 },
  { day: 11, bytes: 100 },
  { day: 14, bytes: 100 },
];
const dropped = (limits: { days: number; bytes: number }, today: number) =>
  daysToDrop(days, limits, (day) => today - day).map(({ day }) => day);

test('without limits no day is dropped', () => {
  expect(dropped({ days: 0, bytes: 0 }, 100)).toEqual([]);
});

test('a day is dropped when its newest document is too old', () => {
  expect(dropped({ days: 3, bytes: 0 }, 14)).toEqual([10]);
  expect(dropped({ days: 4, bytes: 0 }, 14)).toEqual([]);
  expect(dropped({ days: 1, bytes: 0 }, 99)).toEqual([10, 11, 14]);
});

test('the oldest days are dropped until the rest fits, but never the newest day', () => {
  expect(dropped({ days: 0, bytes: 300 }, 14)).toEqual([]);
  expect(dropped({ days: 0, bytes: 299 }, 14)).toEqual([10]);
  expect(dropped({ days: 0, bytes: 1 }, 14)).toEqual([10, 11]);
});

test('both limits apply together', () => {
  expect(dropped({ days: 3, bytes: 150 }, 14)).toEqual([10, 11]);
});
