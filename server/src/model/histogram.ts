/**
 * Counts of requests by duration: keys are bins of `binOf` in microseconds. X-Ray has seconds on the wire.
 * Histograms of parts of the requests add up to the histogram of all.
 */
export type Histogram = ReadonlyMap<number, number>;

/** A mutable histogram. */
export type HistogramBuilder = Map<number, number>;

const MIN_STEP_US = 1_000;

/**
 * The bin of a duration, in whole microseconds: at most 1 % away from it, or half a millisecond if that is more; 1 ms
 * for shorter durations. Common round numbers of seconds (0.25, 1.5, 30) are bins. Within a power of ten p the bins are
 * p/50 apart up to 2.5 p, p/20 up to 5 p, then p/10, and never less than 1 ms. Halves round up.
 */
export function binOf(durationUs: number): number {
  const stepUs = binStepUs(durationUs);
  const binUs = Math.floor((durationUs + stepUs / 2) / stepUs) * stepUs;
  return Math.max(binUs, MIN_STEP_US);
}

function binStepUs(durationUs: number): number {
  let power = MIN_STEP_US;
  while (power * 10 <= durationUs) power *= 10;
  const step = durationUs < power * 2.5 ? power / 50 : durationUs < power * 5 ? power / 20 : power / 10;
  return Math.max(step, MIN_STEP_US);
}

/** Adds one duration to `builder`, or removes one if `count` is -1. */
export function addDuration(builder: HistogramBuilder, durationUs: number, count = 1): void {
  addCount(builder, binOf(durationUs), count);
}

/** Adds `count` for `key`. A key whose sum becomes 0 is deleted. */
export function addCount<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  const sum = (counts.get(key) ?? 0) + count;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

/** Adds all of `added`, each `times` times. */
export function addCounts<Key>(counts: Map<Key, number>, added: ReadonlyMap<Key, number>, times: number): void {
  for (const [key, count] of added) addCount(counts, key, times * count);
}

/** Sum of the counts of all bins. */
export function totalOf(histogram: Histogram): number {
  let total = 0;
  for (const count of histogram.values()) total += count;
  return total;
}

/**
 * The smallest bin that at least the share `q` (0 to 1) of the requests does not exceed, in the unit of the bins;
 * undefined for an empty histogram.
 */
export function quantile(histogram: Histogram, q: number): number | undefined {
  const needed = q * totalOf(histogram);
  let seen = 0;
  let bin: number | undefined;
  for (const [value, count] of [...histogram].sort(([a], [b]) => a - b)) {
    bin = value;
    seen += count;
    if (seen >= needed) break;
  }
  return bin;
}
