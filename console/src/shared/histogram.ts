import type { WireHistogramEntry } from 'openray/api-types';
import { addCount, quantile } from 'openray/model';

/** Number of times in `[fromUs, toUs)`; the last bin includes its end. */
export type Bin = { readonly fromUs: number; readonly toUs: number; readonly count: number };

/** Bins of equal width on the screen: equal steps of time (`linear`) or of its logarithm (`log`). */
export type Histogram = {
  readonly scale: 'linear' | 'log';
  readonly bins: readonly Bin[];
  readonly total: number;
};

/** Wire entries are in seconds and in no order. */
export function entriesToUs(entries: readonly WireHistogramEntry[]): readonly WeightedTime[] {
  return entries.map(({ Value, Count }) => ({ us: Value * 1_000_000, count: Count }));
}

export type WeightedTime = { readonly us: number; readonly count: number };

const EMPTY: Histogram = { scale: 'linear', bins: [], total: 0 };

/**
 * About `maxBins` bins (at most two more) that hold every time once. Logarithmic when the slowest time is more than 30
 * times the fastest.
 */
export function binTimes(times: readonly WeightedTime[], maxBins: number): Histogram {
  const counted = times.filter(({ count }) => count > 0);
  if (counted.length === 0) return EMPTY;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  let total = 0;
  for (const { us, count } of counted) {
    low = Math.min(low, us);
    high = Math.max(high, us);
    total += count;
  }
  const scale = low > 0 && high / low > 30 ? 'log' : 'linear';
  const edges = scale === 'log' ? logEdges(low, high, maxBins) : linearEdges(low, high, maxBins);
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const { us, count } of counted) {
    const index = binIndex(edges, us);
    counts[index] = (counts[index] ?? 0) + count;
  }
  return {
    scale,
    total,
    bins: counts.map((count, index) => ({ fromUs: edges[index] ?? 0, toUs: edges[index + 1] ?? 0, count })),
  };
}

/** The time below which `share` of the requests lie, microseconds; undefined when there are none. */
export function percentileUs(times: readonly WeightedTime[], share: number): number | undefined {
  const counts = new Map<number, number>();
  for (const { us, count } of times) addCount(counts, us, count);
  return quantile(counts, share);
}

function linearEdges(low: number, high: number, maxBins: number): readonly number[] {
  const step = niceStep(Math.max(high - low, high * 0.01, 1) / maxBins);
  const first = Math.floor(low / step);
  // At least one bin, also where all times lie on one edge.
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function logEdges(low: number, high: number, maxBins: number): readonly number[] {
  const decades = Math.log10(high / low);
  const perDecade = [24, 12, 8, 6, 4, 3, 2, 1].find((count) => decades * count <= maxBins - 1) ?? 1;
  const first = Math.floor(Math.log10(low) * perDecade + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) * perDecade - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** ((first + index) / perDecade));
}

/** Rounding may put the extremes just outside of the edges: they count in the first and the last bin. */
function binIndex(edges: readonly number[], us: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (us >= (edges[middle] ?? 0)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The smallest number of the form 1, 2 or 5 times a power of ten that is at least `step`. */
export function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step) + 1e-12);
  const factor = step / power;
  const nice = factor <= 1.000001 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10;
  return nice * power;
}
