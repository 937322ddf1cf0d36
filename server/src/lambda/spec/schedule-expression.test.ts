import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDue, parseSchedule, type ScheduleExpression, wallClock } from './schedule-expression.ts';

const UTC = { sinceMs: 0, timeZone: 'UTC' };

/** The minutes of these days in which the expression is due. */
function runs(text: string, from: string, days: number, zone = UTC): readonly string[] {
  const expression = parseSchedule(text) as ScheduleExpression;
  const startMs = Date.parse(`${from}T00:00:00Z`);
  const minutes = Array.from({ length: days * 24 * 60 }, (_, i) => startMs + i * 60_000);
  return minutes.filter((ms) => isDue(expression, ms, zone)).map((ms) => new Date(ms).toISOString().slice(0, 16));
}

describe('a cron expression runs', () => {
  test.each([
    ['cron(15 10 * * ? *)', '2024-05-01', 2, ['2024-05-01T10:15', '2024-05-02T10:15']],
    ['cron(0 8 ? * MON-FRI *)', '2024-05-03', 4, ['2024-05-03T08:00', '2024-05-06T08:00']],
    ['cron(0 8 ? * 2,7 *)', '2024-05-03', 4, ['2024-05-04T08:00', '2024-05-06T08:00']],
    ['cron(30/20 0 1 * ? *)', '2024-05-01', 1, ['2024-05-01T00:30', '2024-05-01T00:50']],
    ['cron(0 0 L * ? *)', '2024-02-27', 5, ['2024-02-29T00:00']],
    ['cron(0 0 LW * ? *)', '2024-06-25', 7, ['2024-06-28T00:00']],
    ['cron(0 0 1W * ? *)', '2024-06-01', 5, ['2024-06-03T00:00']],
    ['cron(0 0 15W * ? *)', '2024-06-10', 8, ['2024-06-14T00:00']],
    ['cron(0 0 ? * 6L *)', '2024-05-01', 31, ['2024-05-31T00:00']],
    ['cron(0 0 ? * 2#1 *)', '2024-05-01', 31, ['2024-05-06T00:00']],
    ['cron(0 0 ? * L *)', '2024-05-01', 7, ['2024-05-04T00:00']],
    ['cron(0 12 24 MAY ? 2024-2025)', '2024-05-20', 10, ['2024-05-24T12:00']],
    ['cron(0 12 24 5 ? 2025)', '2024-05-20', 10, []],
    ['at(2024-05-24T14:13:00)', '2024-05-24', 2, ['2024-05-24T14:13']],
  ])('%s', (text, from, days, expected) => {
    expect(runs(text, from, days)).toEqual(expected);
  });

  test('in its time zone, also when daylight saving time begins or ends', () => {
    const berlin = { sinceMs: 0, timeZone: 'Europe/Berlin' };
    expect(runs('cron(30 2 * * ? *)', '2024-03-30', 3, berlin)).toEqual(['2024-03-30T01:30', '2024-04-01T00:30']);
  });
});

test('a rate runs every so many minutes after its start, and not at the start', () => {
  const sinceMs = Date.parse('2024-05-01T00:07:00Z');
  expect(runs('rate(8 hours)', '2024-05-01', 1, { ...UTC, sinceMs })).toEqual(['2024-05-01T08:07', '2024-05-01T16:07']);
  expect(runs('rate(1 day)', '2024-05-01', 3, { ...UTC, sinceMs })).toHaveLength(2);
  expect(runs('rate(1 minute)', '2024-05-01', 1, { ...UTC, sinceMs })).toHaveLength(24 * 60 - 8);
});

describe('an expression', () => {
  test.each([
    ...['rate(0 minutes)', 'rate(5)', 'rate(1 week)', 'cron(* * * * *)', 'cron(* * * * * *)', 'cron(* * ? * ? *)'],
    ...['cron(60 * * * ? *)', 'cron(5-1 * * * ? *)', 'cron(*/0 * * * ? *)', 'cron(0 0 32W * ? *)', 'cron(0 0 ? * 8 *)'],
    ...['at(tomorrow)', 'every(1 minute)', ''],
  ])('%s is none', (text) => {
    expect(parseSchedule(text)).toBeUndefined();
  });

  test('may be any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseSchedule(`cron(${text})`)));
  });

  test('of one minute runs in that minute alone', () => {
    const ms = fc.integer({ min: 0, max: 4_000_000 }).map((days) => 946_684_800_000 + days * 60_000);
    fc.assert(
      fc.property(ms, fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/New_York'), (minuteMs, timeZone) => {
        const [, year, month, day, hour, minute] =
          /(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(wallClock(minuteMs, timeZone)) ?? [];
        const expression = parseSchedule(`cron(${minute} ${hour} ${day} ${month} ? ${year})`) as ScheduleExpression;
        expect(isDue(expression, minuteMs, { sinceMs: 0, timeZone })).toBe(true);
        expect(isDue(expression, minuteMs + 60_000, { sinceMs: 0, timeZone })).toBe(false);
      }),
    );
  });
});
