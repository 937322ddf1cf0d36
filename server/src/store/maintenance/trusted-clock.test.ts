import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { aDocument } from '../testing/documents.ts';
import { makeTestDirectory, openTestStore, type TestDirectory } from '../testing/open-test-store.ts';
import { ageInDays, type ClockRecord, observeClock, openTrustedClock } from './trusted-clock.ts';

const DAY_US = 86_400_000_000;
const MINUTE_US = 60_000_000;
const TODAY_US = 20_000 * DAY_US;
const TRUSTED: ClockRecord = { trustedUs: TODAY_US, lateDays: [] };

/** The record after readings at these days from today. */
const afterReadings = (days: readonly number[]) =>
  days.reduce((record, day) => observeClock(record, TODAY_US + day * DAY_US), TRUSTED);
const trustedDay = ({ trustedUs }: ClockRecord) => (trustedUs - TODAY_US) / DAY_US;
/** Readings each minute. */
const everyMinute = (fromDay: number, toDay: number) =>
  Array.from({ length: Math.round((toDay - fromDay) * 1440) + 1 }, (_, minute) => fromDay + minute / 1440);

test('a server that runs, or is off for less than a day, trusts its clock', () => {
  expect(trustedDay(afterReadings([0.5, 1.4, 2.3]))).toBeCloseTo(2.3);
});

test('a clock that is 400 days ahead is not trusted, and once it is mended its readings have no effect', () => {
  const ahead = afterReadings([0.1, 400, 400.01, 400.9]);
  expect([trustedDay(ahead), ahead.unconfirmed !== undefined]).toEqual([0.1, true]);
  expect(observeClock(ahead, TODAY_US + 1.05 * DAY_US)).toEqual({ trustedUs: TODAY_US + 1.05 * DAY_US, lateDays: [] });
});

test('a clock that was set back changes nothing until it has caught up', () => {
  expect(trustedDay(afterReadings([5 / 8, -300, -299]))).toBeCloseTo(5 / 8);
});

test('a server that was off for 40 days trusts its clock after a day', () => {
  const before = afterReadings(everyMinute(40, 40.99));
  expect(trustedDay(before)).toBe(0);
  const after = everyMinute(41.001, 41.01).reduce((r, day) => observeClock(r, TODAY_US + day * DAY_US), before);
  expect([trustedDay(after), after.unconfirmed]).toEqual([expect.closeTo(41.01, 3), undefined]);
});

test('a server that runs for an hour a week is a week behind', () => {
  expect(trustedDay(afterReadings([7, 7.04, 14, 14.04, 21, 21.04]))).toBeCloseTo(14.04);
});

test('with trust in jumps each reading is trusted, also while one is unconfirmed', () => {
  expect(observeClock(TRUSTED, TODAY_US + 400 * DAY_US, true).trustedUs).toBe(TODAY_US + 400 * DAY_US);
  const confirmed = observeClock(afterReadings([400]), TODAY_US + 400.1 * DAY_US, true);
  expect([confirmed.trustedUs, confirmed.unconfirmed]).toEqual([TODAY_US + 400.1 * DAY_US, undefined]);
});

test('documents that arrived while the clock was unconfirmed are as old as their arrival', () => {
  const record = afterReadings([...everyMinute(40, 41.01), ...everyMinute(41.5, 45).filter((_, i) => i % 60 === 0)]);
  const nowUs = TODAY_US + 45 * DAY_US;
  // Their days are 20,000 and 20,001: the time that passed since the last trusted reading.
  expect([20_000, 20_001].map((day) => ageInDays(record, nowUs, day))).toEqual([4, 4]);
  expect(ageInDays(record, nowUs, 19_999)).toBe(46);
  expect(ageInDays(record, nowUs, 20_043)).toBe(2);
});

test('the cut-off never advances by more than a day, or to a reading that a later one did not confirm', () => {
  const reading = fc.oneof(
    { weight: 4, arbitrary: fc.record({ by: fc.double({ min: 0, max: 0.9, noNaN: true }) }) },
    { weight: 1, arbitrary: fc.record({ by: fc.double({ min: -500, max: 500, noNaN: true }) }) },
  );
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 40 }), (steps) => {
      let record = TRUSTED;
      let nowUs = TODAY_US;
      let greatestUs = TODAY_US;
      for (const { by } of steps) {
        nowUs += Math.round(by * DAY_US);
        const before = record;
        record = observeClock(before, nowUs);
        expect(record.trustedUs).toBeGreaterThanOrEqual(before.trustedUs);
        const advancedUs = record.trustedUs - before.trustedUs;
        // More than a day at once only up to an earlier reading, or a day beyond it.
        if (advancedUs > DAY_US) {
          const { firstUs, lastUs } = before.unconfirmed ?? { firstUs: Number.NaN, lastUs: Number.NaN };
          expect(nowUs).toBeGreaterThan(firstUs + DAY_US);
          expect(record.trustedUs).toBeLessThanOrEqual(lastUs + DAY_US);
        }
        greatestUs = Math.max(greatestUs, nowUs);
        expect(record.trustedUs).toBeLessThanOrEqual(greatestUs);
      }
    }),
  );
});

let directory: TestDirectory;
beforeEach(async () => {
  directory = await makeTestDirectory();
});
afterEach(() => directory.remove());

test('a start with the clock 400 days ahead deletes nothing, and numbers of arrival do not follow it', async () => {
  const nowMs = Date.now();
  const first = await openTestStore(directory.path);
  const seq = nowMs * 1000;
  await first.append([aDocument(1, { seq })]);
  await first.close();

  const warn = vi.fn();
  vi.useFakeTimers({ now: nowMs + 400 * 86_400_000, toFake: ['Date'] });
  try {
    const ahead = await openTestStore(directory.path, { retentionDays: 30, log: { info() {}, warn } });
    // Closing waits for the run of retention that began with the start.
    const arrivalUs = ahead.clock.arrivalUs();
    expect(ahead.clock.unconfirmedSinceUs()).toBe((nowMs + 400 * 86_400_000) * 1000);
    expect(ahead.clock.ageInDays(Math.floor(seq / DAY_US))).toBe(0);
    await expect.poll(() => countOf(ahead)).toBe(1);
    await ahead.close();
    expect(Math.abs(arrivalUs - seq)).toBeLessThan(10 * MINUTE_US);
    expect(warn).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
  const mended = await openTestStore(directory.path, { retentionDays: 30 });
  expect([mended.clock.unconfirmedSinceUs(), await countOf(mended)]).toEqual([undefined, 1]);
  await mended.close();
});

const countOf = async (store: Awaited<ReturnType<typeof openTestStore>>) => (await store.usage()).documents;

test('a clock that jumps while the server runs is not followed, and small steps are', async () => {
  const store = await openTestStore(directory.path);
  let wallMs = Date.now();
  let monotonicMs = 0;
  const pass = (ms: number) => {
    wallMs += ms;
    monotonicMs += ms;
  };
  const clock = await openTrustedClock(store, {
    lastSeq: 0,
    isShared: false,
    trustsJumps: false,
    onJump: () => undefined,
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
  });
  const startMs = wallMs;
  pass(5_000);
  wallMs += 3_600_000;
  expect(clock.arrivalUs()).toBe((startMs + 3_605_000) * 1000);
  await clock.observe({ mayRecord: true });
  wallMs += 400 * 86_400_000;
  pass(10_000);
  expect(clock.arrivalUs()).toBe((startMs + 3_615_000) * 1000);
  await clock.observe({ mayRecord: true });
  pass(10_000);
  await clock.observe({ mayRecord: true });
  expect(clock.arrivalUs()).toBe((startMs + 3_625_000) * 1000);
  wallMs -= 400 * 86_400_000;
  expect(clock.arrivalUs()).toBe((startMs + 3_625_000) * 1000);
  await store.close();
});
