import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Longest time from the signal to the end of the process. Docker kills a container after 10 s. */
export const STOP_MAX_MS = 9_000;

/** Programs between a terminal and openray (npm, tsx) pass on a SIGINT that openray gets from the terminal, too. */
const REPEATED_SIGNAL_MS = 300;

/** Resolves with SIGINT or SIGTERM. A later one ends the process at once, with 128 and the signal's number as exit code. */
export async function untilStopSignal(): Promise<void> {
  await Promise.race(STOP_SIGNALS.map((signal) => once(process, signal)));
  const repeatedUntilMs = performance.now() + REPEATED_SIGNAL_MS;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (performance.now() >= repeatedUntilMs) process.exit(128 + constants.signals[signal]);
    });
  }
}

/**
 * Runs, then closes within STOP_MAX_MS. When both fail, the failure of `run` is thrown: a failure to close is often
 * its consequence.
 */
export async function runThenClose(run: () => Promise<void>, close: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    await closeInTime(close).catch(() => {});
    throw thrown;
  }
  await closeInTime(close);
}

/** Throws ServiceUnavailable when `close` takes longer than STOP_MAX_MS. */
export async function closeInTime(close: () => Promise<void>): Promise<void> {
  const isLate = setTimeout(STOP_MAX_MS, true, { ref: false });
  if (await Promise.race([close(), isLate])) {
    throw new OpenrayError(
      'ServiceUnavailable',
      `the server did not stop within ${STOP_MAX_MS / 1000} s; what it had not acknowledged may not be stored`,
    );
  }
}
