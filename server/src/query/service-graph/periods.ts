import { addGraph, type ServiceGraphBuilder, withoutZeros } from '../../model/service-graph.ts';
import { afterThrough, afterUsOf, isEmpty, lastUsOf, type TimeInterval } from '../../model/time-interval.ts';
import type { PeriodGraph } from '../../store/write/roll-up-rows.ts';

/** Periods that are rolled up, in seconds, each a multiple of the one before. */
const PERIODS_S = [60, 600, 3_600, 86_400] as const;
export const MINUTE_US = 60_000_000;

/** Graphs by the end of the minute in which their requests and calls ended. */
export type MinuteGraphs = Map<number, ServiceGraphBuilder>;

/** The last microsecond of the period that contains `us`. Periods are those of X-Ray's time series: (end - period, end]. */
export function periodEnd(us: number, periodUs: number): number {
  return Math.ceil(us / periodUs) * periodUs;
}

export function periodContaining(us: number, periodUs: number): TimeInterval {
  const endUs = periodEnd(us, periodUs);
  return afterThrough(endUs - periodUs, endUs);
}

/**
 * Adds minutes up to all periods, each period from the next shorter one; zero counts are left out. A generator, so
 * that the caller can pause: all periods together hold up the process too long. The graph of a period is valid until
 * the next one: it becomes the sum of the longer period that begins with it. `minutes` cannot be used again.
 */
export function* periodsOf(minutes: MinuteGraphs): Generator<PeriodGraph> {
  const sums: (Sum | undefined)[] = PERIODS_S.map(() => undefined);

  function* end(level: number, { endsUs, graph }: Sum): Generator<PeriodGraph> {
    yield { periodS: PERIODS_S[level] as number, endsUs, graph: withoutZeros(graph) };
    if (level + 1 === PERIODS_S.length) return;
    const longerEndsUs = periodEnd(endsUs, (PERIODS_S[level + 1] as number) * 1e6);
    const known = sums[level + 1];
    if (known !== undefined && known.endsUs !== longerEndsUs) yield* end(level + 1, known);
    if (known?.endsUs === longerEndsUs) addGraph(known.graph, graph);
    else sums[level + 1] = { endsUs: longerEndsUs, graph };
  }

  const inOrder = [...minutes].sort(([a], [b]) => a - b);
  for (const [endsUs, graph] of inOrder) yield* end(0, { endsUs, graph });
  for (let level = 1; level < PERIODS_S.length; level++) {
    const last = sums[level];
    if (last !== undefined) yield* end(level, last);
  }
}

type Sum = { readonly endsUs: number; readonly graph: ServiceGraphBuilder };

/** Whole periods that together make up an interval of whole minutes, the longest that fit. */
export function coverByPeriods(interval: TimeInterval): readonly PeriodInterval[] {
  return coverWith(interval, PERIODS_S);
}

type PeriodInterval = { readonly interval: TimeInterval; readonly periodS: number };

function coverWith(interval: TimeInterval, periodsS: readonly number[]): readonly PeriodInterval[] {
  const shorter = periodsS.slice(0, -1);
  const periodS = periodsS.at(-1);
  if (periodS === undefined || isEmpty(interval)) return [];
  const periodUs = periodS * 1e6;
  const afterUs = afterUsOf(interval);
  const lastUs = lastUsOf(interval);
  const firstEndUs = Math.ceil(afterUs / periodUs) * periodUs;
  const lastEndUs = Math.floor(lastUs / periodUs) * periodUs;
  if (firstEndUs >= lastEndUs) return coverWith(interval, shorter);
  return [
    ...coverWith(afterThrough(afterUs, firstEndUs), shorter),
    { interval: afterThrough(firstEndUs, lastEndUs), periodS },
    ...coverWith(afterThrough(lastEndUs, lastUs), shorter),
  ];
}
