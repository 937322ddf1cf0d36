import type { Outcome } from './entity.ts';
import type { JsonObject } from './json.ts';

export type OutcomeFlags = {
  readonly outcome: Outcome;
  readonly isFault: boolean;
  readonly isError: boolean;
  readonly isThrottle: boolean;
};

/**
 * Outcome of a segment or subsegment, from its flags or its HTTP status. More than one flag may hold, but a throttled
 * call is never an error as well. The outcome, by which it is counted, is the first of throttle, fault, error, ok.
 */
export function readFlags(fields: JsonObject, status: number | undefined): OutcomeFlags {
  const isThrottle = fields.throttle === true || status === 429;
  const isFault = fields.fault === true || (status !== undefined && status >= 500 && status < 600);
  const isClientError = fields.error === true || (status !== undefined && status >= 400 && status < 500);
  const isError = isClientError && !isThrottle;
  return { outcome: outcomeOf({ isThrottle, isFault, isError }), isFault, isError, isThrottle };
}

/** The first of throttle, fault, error, ok that holds. */
export function outcomeOf({ isThrottle, isFault, isError }: Omit<OutcomeFlags, 'outcome'>): Outcome {
  if (isThrottle) return 'throttle';
  if (isFault) return 'fault';
  return isError ? 'error' : 'ok';
}

/** Every outcome, worst last. */
export const OUTCOMES: readonly Outcome[] = ['ok', 'error', 'throttle', 'fault'];

/** The worst outcome of the segments and subsegments of a trace; `ok` without any. */
export function worstOutcome(entities: Iterable<{ readonly outcome: Outcome }>): Outcome {
  let worst = 0;
  for (const { outcome } of entities) worst = Math.max(worst, OUTCOMES.indexOf(outcome));
  return OUTCOMES[worst] ?? 'ok';
}
