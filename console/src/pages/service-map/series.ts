import type { TimeInterval } from 'openray/model';
import { NO_REQUESTS, type OutcomeCounts } from '../../shared/outcome.ts';
import type { SeriesPoint } from '../../shared/outcome-series.tsx';

/** With more bars than this they are too thin to see: neighbours are added up. */
const MAX_POINTS = 90;

/** Length of one point in seconds; the API has points of 60 and 300. */
export function periodFor({ fromUs, toUs }: TimeInterval): 60 | 300 {
  return toUs - fromUs <= MAX_POINTS * 60_000_000 ? 60 : 300;
}

/** Points of equal length over the window, oldest first; 0 without requests. Adds up neighbours above MAX_POINTS. */
export function fillSeries(
  points: readonly SeriesPoint[],
  window: TimeInterval,
  periodSeconds: number,
): readonly SeriesPoint[] {
  const periodUs = periodSeconds * 1_000_000;
  const intervals = Math.ceil((window.toUs - window.fromUs) / periodUs);
  const stepUs = periodUs * Math.max(1, Math.ceil(intervals / MAX_POINTS));
  const firstEnd = (Math.floor(window.fromUs / stepUs) + 1) * stepUs;
  const lastEnd = Math.ceil(window.toUs / stepUs) * stepUs;
  const byEnd = new Map<number, OutcomeCounts>();
  for (const { endUs, counts } of points) {
    const stepEnd = Math.min(lastEnd, Math.max(firstEnd, Math.ceil(endUs / stepUs) * stepUs));
    byEnd.set(stepEnd, add(byEnd.get(stepEnd) ?? NO_REQUESTS, counts));
  }
  const filled: SeriesPoint[] = [];
  for (let endUs = firstEnd; endUs <= lastEnd; endUs += stepUs)
    filled.push({ endUs, counts: byEnd.get(endUs) ?? NO_REQUESTS });
  return filled;
}

function add(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  return { ok: a.ok + b.ok, error: a.error + b.error, throttle: a.throttle + b.throttle, fault: a.fault + b.fault };
}
