/**
 * Whole microseconds from `fromUs` on, up to but without `toUs`: [fromUs, toUs). Empty when `toUs` is not greater.
 *
 * Other forms are made and read here, so that callers do not add or subtract a microsecond by hand: `fromThrough` is
 * [fromUs, lastUs] and `afterThrough` is (afterUs, lastUs], which is how X-Ray cuts the periods of a time series.
 */
export type TimeInterval = { readonly fromUs: number; readonly toUs: number };

export const ALL_TIMES: TimeInterval = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/** [fromUs, lastUs]. */
export function fromThrough(fromUs: number, lastUs: number): TimeInterval {
  return { fromUs, toUs: lastUs + 1 };
}

/** (afterUs, lastUs]. */
export function afterThrough(afterUs: number, lastUs: number): TimeInterval {
  return { fromUs: afterUs + 1, toUs: lastUs + 1 };
}

/** The last microsecond before the interval: `afterUs` of `afterThrough`. */
export function afterUsOf({ fromUs }: TimeInterval): number {
  return fromUs - 1;
}

/** The last microsecond in the interval: `lastUs` of `afterThrough`. */
export function lastUsOf({ toUs }: TimeInterval): number {
  return toUs - 1;
}

export function isEmpty({ fromUs, toUs }: TimeInterval): boolean {
  return fromUs >= toUs;
}

export function contains({ fromUs, toUs }: TimeInterval, us: number): boolean {
  return us >= fromUs && us < toUs;
}

/** False for an entity in progress. */
export function endedIn(interval: TimeInterval, { endUs }: { readonly endUs: number | undefined }): boolean {
  return endUs !== undefined && contains(interval, endUs);
}

/** The part before `us`, and the part from `us` on. One is empty when `us` is outside. */
export function splitBefore(
  { fromUs, toUs }: TimeInterval,
  us: number,
): readonly [before: TimeInterval, from: TimeInterval] {
  const cutUs = Math.max(fromUs, Math.min(us, toUs));
  return [
    { fromUs, toUs: cutUs },
    { fromUs: cutUs, toUs },
  ];
}

/** The part through `us`, and the part after it. One is empty when `us` is outside. */
export function splitAfter(interval: TimeInterval, us: number): readonly [through: TimeInterval, after: TimeInterval] {
  return splitBefore(interval, us + 1);
}
