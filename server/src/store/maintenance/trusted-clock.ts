import { type ObjectName, readObject, replaceObject, type StoredObject } from '../objects.ts';
import type { Store, TrustedClock } from '../store.ts';

/**
 * The latest time that retention trusts. A reading of the clock that is more than a day later is unconfirmed: the server
 * was off for long, or its clock is wrong.
 */
export type ClockRecord = {
  readonly trustedUs: number;
  /** The first and the last reading that are unconfirmed. */
  readonly unconfirmed?: { readonly firstUs: number; readonly lastUs: number } | undefined;
  readonly lateDays: readonly LateDays[];
};

/** Days of documents that arrived while the clock was unconfirmed, up to `arrivedDay`: they count from there. */
export type LateDays = { readonly firstDay: number; readonly lastDay: number; readonly arrivedDay: number };

export type ClockOptions = {
  /** `seq` of the last stored document; 0 for none. */
  readonly lastSeq: number;
  readonly isShared: boolean;
  /** Trusts every reading at once. */
  readonly trustsJumps: boolean;
  onJump(readings: { readonly trusted: string; readonly clock: string }): void;
  readonly nowMs?: () => number;
  /** Time that passed since any moment. No change of the clock affects it. */
  readonly monotonicMs?: () => number;
};

/** The clock of one server, with its record in the store. */
export type RecordedClock = TrustedClock & {
  /** Reads the clock once more. Called at least once a day; writes to the store at most once an hour. */
  observe(options: { readonly mayRecord: boolean }): Promise<ClockRecord>;
};

const DAY_US = 86_400_000_000;
const RECORD_EVERY_US = 3_600_000_000;
/** More jumps than this within the time that documents are kept: the oldest entry is dropped. */
const MAX_LATE_DAYS = 32;
const CLOCK: ObjectName = { kind: 'retention-clock', name: 'clock' };

/**
 * The record after one more reading. The trusted time follows the clock by at most a day at once. A later reading is
 * unconfirmed until the clock has advanced by a day more. Then the last reading before this one is trusted: a server
 * that runs for an hour a week trusts the week before, and a clock that is wrong once deletes nothing.
 */
export function observeClock(record: ClockRecord, nowUs: number, trustsJumps = false): ClockRecord {
  const { trustedUs, unconfirmed, lateDays } = record;
  const isNear = (fromUs: number) => nowUs <= fromUs + DAY_US;
  if (isNear(trustedUs) || (trustsJumps && unconfirmed === undefined)) {
    return { trustedUs: Math.max(trustedUs, nowUs), lateDays };
  }
  if (unconfirmed === undefined || (!trustsJumps && nowUs < unconfirmed.firstUs)) {
    return { trustedUs, unconfirmed: { firstUs: nowUs, lastUs: nowUs }, lateDays };
  }
  if (!trustsJumps && isNear(unconfirmed.firstUs)) {
    return { trustedUs, unconfirmed: { firstUs: unconfirmed.firstUs, lastUs: nowUs }, lateDays };
  }
  const late = {
    firstDay: dayOf(trustedUs),
    lastDay: dayOf(trustedUs + unconfirmed.lastUs - unconfirmed.firstUs) + 1,
    arrivedDay: dayOf(trustsJumps ? nowUs : unconfirmed.lastUs),
  };
  const confirmed = {
    trustedUs: trustsJumps ? nowUs : unconfirmed.lastUs,
    lateDays: [...lateDays, late].slice(-MAX_LATE_DAYS),
  };
  return observeClock(confirmed, nowUs, trustsJumps);
}

/** Whole days since all documents of a day had arrived; negative for days to come. */
export function ageInDays({ trustedUs, lateDays }: ClockRecord, nowUs: number, day: number): number {
  const arrivedDays = lateDays.map(({ firstDay, lastDay, arrivedDay }) =>
    day >= firstDay && day <= lastDay ? arrivedDay : day,
  );
  return dayOf(Math.min(trustedUs, nowUs)) - Math.max(day, ...arrivedDays);
}

const dayOf = (us: number): number => Math.floor(us / DAY_US);

/** Reads the record of the store, or begins one at the last stored document. */
export async function openTrustedClock(
  database: Pick<Store, 'query' | 'command'>,
  { lastSeq, isShared, trustsJumps, onJump, nowMs = Date.now, monotonicMs = now }: ClockOptions,
): Promise<RecordedClock> {
  const nowUs = () => Math.round(nowMs() * 1000);
  const isPast = lastSeq > 0 && lastSeq <= nowUs();
  let stored: StoredObject | undefined;
  let recordedUs = 0;
  let record: ClockRecord = { trustedUs: isPast ? lastSeq : nowUs(), lateDays: [] };
  let anchor = { us: record.trustedUs, atMs: monotonicMs() };

  async function read(): Promise<void> {
    stored = await readObject(database, CLOCK);
    if (stored?.body === undefined) return;
    const before = record.trustedUs;
    record = JSON.parse(stored.body);
    recordedUs = record.trustedUs;
    // The sequence of a single server never follows a jump, so that its last number can be trusted.
    if (!isShared && before <= nowUs()) record = { ...record, trustedUs: Math.max(before, record.trustedUs) };
  }

  async function observe({ mayRecord }: { readonly mayRecord: boolean }): Promise<ClockRecord> {
    if (isShared) await read();
    const before = record;
    record = observeClock(before, nowUs(), trustsJumps);
    if (record.unconfirmed === undefined) {
      anchor = { us: nowUs(), atMs: monotonicMs() };
    } else if (before.unconfirmed === undefined) {
      anchor = { us: Math.max(record.trustedUs, expectedUs()), atMs: monotonicMs() };
      onJump({ trusted: isoTime(record.trustedUs), clock: isoTime(nowUs()) });
    }
    const isChanged = (before.unconfirmed === undefined) !== (record.unconfirmed === undefined);
    const latestUs = record.unconfirmed?.lastUs ?? record.trustedUs;
    if (mayRecord && (isChanged || stored === undefined || latestUs - recordedUs >= RECORD_EVERY_US)) {
      if (await replaceObject(database, CLOCK, stored, JSON.stringify(record))) {
        stored = { version: (stored?.version ?? 0) + 1, body: JSON.stringify(record) };
        recordedUs = latestUs;
      } else {
        stored = await readObject(database, CLOCK);
      }
    }
    return record;
  }

  /** The time that a clock without jumps would show. */
  const expectedUs = () => anchor.us + Math.round((monotonicMs() - anchor.atMs) * 1000);

  await read();
  anchor = { us: record.trustedUs, atMs: monotonicMs() };
  await observe({ mayRecord: true });
  return {
    observe,
    arrivalUs() {
      const us = nowUs();
      // Servers of a shared store follow their clocks: the roll-up would pass the documents of one that is behind.
      return isShared || Math.abs(us - expectedUs()) <= DAY_US ? us : expectedUs();
    },
    ageInDays: (day) => ageInDays(record, nowUs(), day),
    unconfirmedSinceUs: () => record.unconfirmed?.firstUs,
  };
}

const now = (): number => performance.now();
const isoTime = (us: number): string => new Date(us / 1000).toISOString();
