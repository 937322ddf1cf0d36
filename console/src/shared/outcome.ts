import type { WireStatistics } from 'openray/api-types';
import { OUTCOMES, type Outcome } from 'openray/model';

export const OUTCOME_LABEL: Readonly<Record<Outcome, string>> = {
  ok: 'OK',
  error: 'Error (4xx)',
  throttle: 'Throttle (429)',
  fault: 'Fault (5xx)',
};

export type OutcomeCounts = Readonly<Record<Outcome, number>>;

export const NO_REQUESTS: OutcomeCounts = { ok: 0, error: 0, throttle: 0, fault: 0 };

/**
 * `inside` where a segment or subsegment has a worse outcome than the root, whose outcome the caller saw. Undefined
 * while the root has not arrived.
 */
export function outcomeNote(worst: Outcome, root: Outcome | undefined): 'inside' | undefined {
  return root === undefined || root === worst ? undefined : 'inside';
}

/** Counts of the wire's statistics; `error` without the throttles, which the wire counts as errors. */
export function outcomeCounts(statistics: WireStatistics | null): OutcomeCounts {
  if (!statistics) return NO_REQUESTS;
  return {
    ok: statistics.OkCount,
    error: statistics.ErrorStatistics.OtherCount,
    throttle: statistics.ErrorStatistics.ThrottleCount,
    fault: statistics.FaultStatistics.TotalCount,
  };
}

export function totalOf(counts: OutcomeCounts): number {
  return counts.ok + counts.error + counts.throttle + counts.fault;
}

/** Mean response time in microseconds; undefined without requests. */
export function averageUs(statistics: WireStatistics | null): number | undefined {
  if (!statistics || statistics.TotalCount === 0) return undefined;
  return (statistics.TotalResponseTime / statistics.TotalCount) * 1_000_000;
}

/** The arc of one outcome on a ring; the whole ring is from 0 to 1. */
export type RingArc = { readonly outcome: Outcome; readonly from: number; readonly to: number };

/** Arcs that fill the ring in the order of `OUTCOMES`; a share below 2 % is drawn as 2 %, so that it is visible. */
export function ringArcs(counts: OutcomeCounts): readonly RingArc[] {
  const total = totalOf(counts);
  if (total === 0) return [];
  const shares = OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => ({
    outcome,
    share: Math.max(0.02, counts[outcome] / total),
  }));
  const sum = shares.reduce((all, { share }) => all + share, 0);
  const arcs: RingArc[] = [];
  let from = 0;
  for (const { outcome, share } of shares) {
    const to = from + share / sum;
    arcs.push({ outcome, from, to });
    from = to;
  }
  return arcs;
}
