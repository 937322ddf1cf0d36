import { type OutcomeFlags, outcomeOf } from '../model/outcome.ts';

/** Three bits. */
export const flagBits = ({ isFault, isError, isThrottle }: OutcomeFlags): number =>
  (isFault ? 1 : 0) | (isError ? 2 : 0) | (isThrottle ? 4 : 0);

const FLAGS: readonly OutcomeFlags[] = Array.from({ length: 8 }, (_, bits) => {
  const flags = { isFault: (bits & 1) !== 0, isError: (bits & 2) !== 0, isThrottle: (bits & 4) !== 0 };
  return { outcome: outcomeOf(flags), ...flags };
});

/** Of the lowest three bits. */
export const flagsOfBits = (bits: number): OutcomeFlags => FLAGS[bits & 7] as OutcomeFlags;
