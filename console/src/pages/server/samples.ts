import type { GetServerStatusResponse } from 'openray/api-types';

/** What the server said, oldest first, all since its last start. */
export type Samples = readonly GetServerStatusResponse[];

/** Rates are of this much time: steady enough to read, quick enough to see a change. */
const RATE_SECONDS = 10;
/** Five minutes at one every two seconds. */
const MAX_SAMPLES = 150;

/** With the newest sample; without those of before a restart, whose counters began elsewhere. */
export function withSample(samples: Samples, next: GetServerStatusResponse): Samples {
  const last = samples.at(-1);
  const kept = last?.StartTime === next.StartTime ? samples : [];
  return [...kept.slice(1 - MAX_SAMPLES), next];
}

/** How fast a counter has grown lately, a second; undefined until there is something to compare with. */
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

/** What became of the documents of one interval, a second. `lost` are the rejected and the dropped. */
export type RatePoint = { readonly endUs: number; readonly stored: number; readonly lost: number };

/** The rates between neighbours, oldest first. */
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

/** Over all doors. */
export function total({ Documents }: GetServerStatusResponse, fate: CounterName): number {
  return Documents.reduce((sum, door) => sum + door[fate], 0);
}

function lostOf(status: GetServerStatusResponse): number {
  return total(status, 'Rejected') + total(status, 'Dropped');
}
