import { doubleOf, ExactNumber } from './exact-number.ts';

/** Latest time that is exact in whole microseconds, in seconds since 1970 (the year 2255). */
const MAX_SECONDS = Number.MAX_SAFE_INTEGER / 1e6;

/**
 * Epoch seconds, as documents and the API carry them, to whole microseconds. Exact for times with up to
 * six decimals before the year 2106; finer fractions are rounded to the nearest microsecond.
 */
export function secondsToUs(seconds: number): number {
  return Math.round(seconds * 1e6);
}

/** Whole microseconds to epoch seconds; prints with at most six decimals. */
export function usToSeconds(us: number): number {
  return us / 1e6;
}

/** A member of a document as microseconds; undefined if it is no number, negative, or not exact. */
export function readTimeUs(value: unknown): number | undefined {
  const seconds = value instanceof ExactNumber ? doubleOf(value) : value;
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= MAX_SECONDS)) return undefined;
  return secondsToUs(seconds);
}
