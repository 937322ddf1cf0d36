import type { GetServerStatusResponse } from 'openray/api-types';

/** Responses of the server, oldest first, all since its last start. */
export type Samples = readonly GetServerStatusResponse[];

/** Rates are averages over this time: steady enough to read, short enough to show a change. */
const RATE_SECONDS = 10;
/** Five minutes at one every two seconds. */
const MAX_SAMPLES = 150;

/** Adds the newest sample, and drops the samples from before a restart, since a restart resets the counters. */
export function withSample(samples: Samples, next: GetServerStatusResponse): Samples {
  const last = samples.at(-1);
  const kept = last?.StartTime === next.StartTime ? samples : [];
  return [...kept.slice(1 - MAX_SAMPLES), next];
}

/** Growth of a counter per second, over RATE_SECONDS; undefined until there are two samples. */
export function ratePerSecond(
  samples: Samples,
  countOf: (status: GetServerStatusResponse) => number,
): number | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const first = samples.findLast(({ Time }) => Time <= last.Time - RATE_SECONDS) ?? samples[0];
  if (first === undefined || first.Time >= last.Time) return undefined;
  return (countOf(last) - countOf(first)) / (last.Time - first.Time);
}

/** Documents per second in the interval that ended at `endUs`; `lost` is rejected plus dropped. */
export type RatePoint = { readonly endUs: number; readonly stored: number; readonly lost: number };

/** The rates between consecutive samples, oldest first. */
export function rateSeries(samples: Samples): readonly RatePoint[] {
  return samples.slice(1).flatMap((status, index) => {
    const before = samples[index];
    if (before === undefined || before.Time >= status.Time) return [];
    const seconds = status.Time - before.Time;
    return [
      {
        endUs: status.Time * 1_000_000,
        stored: (total(status, 'Stored') - total(before, 'Stored')) / seconds,
        lost: (lostOf(status) - lostOf(before)) / seconds,
      },
    ];
  });
}

export type CounterName = 'Received' | 'Stored' | 'Queued' | 'Rejected' | 'Dropped';

/** Sum over all receivers. */
export function total({ Documents }: GetServerStatusResponse, counter: CounterName): number {
  return Documents.reduce((sum, receiver) => sum + receiver[counter], 0);
}

function lostOf(status: GetServerStatusResponse): number {
  return total(status, 'Rejected') + total(status, 'Dropped');
}
