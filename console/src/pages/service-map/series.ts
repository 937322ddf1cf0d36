import { NO_REQUESTS, type OutcomeCounts } from '../../shared/outcome.ts';
import type { SeriesPoint } from '../../shared/outcome-series.tsx';
import type { TimeWindow } from '../../shared/time-range.ts';

/** More bars than this are too thin to see; neighbours are added up. */
const MAX_POINTS = 90;

/** The API knows intervals of 60 and 300 seconds. */
export function periodFor({ fromUs, toUs }: TimeWindow): 60 | 300 {
  return toUs - fromUs <= MAX_POINTS * 60_000_000 ? 60 : 300;
}

/** Points of one width over the whole window, oldest first: gaps filled, neighbours added up where there are too many. */
export function fillSeries(
  points: readonly SeriesPoint[],
  window: TimeWindow,
  periodSeconds: number,
): readonly SeriesPoint[] {
  const periodUs = periodSeconds * 1_000_000;
  const intervals = Math.ceil((window.toUs - window.fromUs) / periodUs);
  const stepUs = periodUs * Math.max(1, Math.ceil(intervals / MAX_POINTS));
  const firstEnd = (Math.floor(window.fromUs / stepUs) + 1) * stepUs;
  const lastEnd = Math.ceil(window.toUs / stepUs) * stepUs;
  const byEnd = new Map<number, OutcomeCounts>();
  for (const { endUs, counts } of points) {
    const slot = Math.min(lastEnd, Math.max(firstEnd, Math.ceil(endUs / stepUs) * stepUs));
    byEnd.set(slot, add(byEnd.get(slot) ?? NO_REQUESTS, counts));
  }
  const filled: SeriesPoint[] = [];
  for (let endUs = firstEnd; endUs <= lastEnd; endUs += stepUs)
    filled.push({ endUs, counts: byEnd.get(endUs) ?? NO_REQUESTS });
  return filled;
}

function add(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  return { ok: a.ok + b.ok, error: a.error + b.error, throttle: a.throttle + b.throttle, fault: a.fault + b.fault };
}
