/** Resident memory of the server and its engine at a time. */
export type MemorySample = { readonly atMs: number; readonly bytes: number };

export type MemoryTrend = {
  readonly medianBytes: number;
  readonly mostBytes: number;
  /** Growth over the time of the samples, by the line that fits them best (least squares). */
  readonly growthBytes: number;
  /** Whether the growth is less than a tenth of the median. */
  readonly isFlat: boolean;
};

/** Throws when there are fewer than two samples. */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || first === last) throw new Error('fewer than two samples of memory');
  const sorted = samples.map(({ bytes }) => bytes).sort((a, b) => a - b);
  const medianBytes = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const growthBytes = slope(samples) * (last.atMs - first.atMs);
  const isFlat = growthBytes < medianBytes / 10;
  return { medianBytes, mostBytes: sorted.at(-1) ?? 0, growthBytes, isFlat };
}

/** Bytes a millisecond. */
function slope(samples: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [meanMs, meanBytes] = [mean(({ atMs }) => atMs), mean(({ bytes }) => bytes)];
  const variance = mean(({ atMs }) => (atMs - meanMs) ** 2);
  return mean(({ atMs, bytes }) => (atMs - meanMs) * (bytes - meanBytes)) / variance;
}
