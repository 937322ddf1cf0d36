import { isDue } from '../spec/schedule-expression.ts';
import type { ScheduleSpec } from '../spec/services.ts';

/** The clock of the scheduler; tests replace it. */
export type SchedulerClock = {
  readonly nowMs: () => number;
  /** Calls `then` once after `ms`. Returns a function that cancels the call. */
  readonly after: (ms: number, then: () => void) => () => void;
};

export const SYSTEM_CLOCK: SchedulerClock = {
  nowMs: Date.now,
  after(ms, then) {
    const timer = setTimeout(then, ms).unref();
    return () => clearTimeout(timer);
  },
};

export type Scheduler = {
  /** Replaces the schedules. A schedule with an unchanged expression keeps its start. */
  readonly update: (schedules: readonly ScheduleSpec[]) => void;
  readonly close: () => void;
};

const MINUTE_MS = 60_000;

/**
 * Calls `run` at the beginning of each minute in which a schedule is due. Runs are skipped while the machine sleeps.
 */
export function openScheduler(
  schedules: readonly ScheduleSpec[],
  run: (schedule: ScheduleSpec, atMs: number) => void,
  clock: SchedulerClock,
): Scheduler {
  let active = withStarts(schedules, new Map());
  let cancel = () => {};
  let isClosed = false;

  function withStarts(
    specs: readonly ScheduleSpec[],
    before: ReadonlyMap<string, { readonly spec: ScheduleSpec; readonly sinceMs: number }>,
  ) {
    const nowMs = minuteOf(clock.nowMs());
    return new Map(
      specs.map((spec) => {
        const old = before.get(spec.name);
        return [spec.name, { spec, sinceMs: old?.spec.text === spec.text ? old.sinceMs : nowMs }];
      }),
    );
  }

  function wait(): void {
    cancel();
    if (isClosed || active.size === 0) return;
    const nowMs = clock.nowMs();
    const nextMs = minuteOf(nowMs) + MINUTE_MS;
    cancel = clock.after(nextMs - nowMs, () => {
      // A timer may fire a little early, or long after its minute.
      const minuteMs = Math.max(nextMs, minuteOf(clock.nowMs()));
      for (const { spec, sinceMs } of active.values()) {
        const { isEnabled, expression, timeZone } = spec;
        if (isEnabled && isDue(expression, minuteMs, { sinceMs, timeZone })) run(spec, minuteMs);
      }
      wait();
    });
  }

  wait();
  return {
    update(next) {
      active = withStarts(next, active);
      wait();
    },
    close() {
      isClosed = true;
      cancel();
    },
  };
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
}
