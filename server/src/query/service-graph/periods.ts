import { addGraph, newServiceGraph, type ServiceGraphBuilder, withoutZeros } from '../../model/service-graph.ts';
import type { PeriodGraph } from '../../store/roll-up-rows.ts';

/** Seconds of the periods that are added up ahead, each a multiple of the one before. */
export const PERIODS_S = [60, 600, 3_600, 86_400] as const;
export const MINUTE_US = 60_000_000;

/**
 * Time between two moments, the first not in it and the second in it: how X-Ray counts the periods of a time series,
 * and so how openray adds up.
 */
export type Span = { readonly afterUs: number; readonly lastUs: number };

/** Graphs by the end of the minute, in which what they count ended. */
export type MinuteGraphs = Map<number, ServiceGraphBuilder>;

/** The end of the period in which something ended. */
export function periodEnd(endUs: number, periodUs: number): number {
  return Math.ceil(endUs / periodUs) * periodUs;
}

/**
 * Minutes added up to all periods, each from the one before; what has come to nothing is left out. One period after the
 * other, since all of them together take a while.
 */
export function* periodsOf(minutes: MinuteGraphs): Generator<PeriodGraph> {
  const sums: (Sum | undefined)[] = PERIODS_S.map(() => undefined);

  function* end(level: number, { endsUs, graph }: Sum): Generator<PeriodGraph> {
    yield { periodS: PERIODS_S[level] as number, endsUs, graph: withoutZeros(graph) };
    if (level + 1 === PERIODS_S.length) return;
    const longerEndsUs = periodEnd(endsUs, (PERIODS_S[level + 1] as number) * 1e6);
    const known = sums[level + 1];
    if (known !== undefined && known.endsUs !== longerEndsUs) yield* end(level + 1, known);
    const sum = known?.endsUs === longerEndsUs ? known : { endsUs: longerEndsUs, graph: newServiceGraph() };
    sums[level + 1] = sum;
    addGraph(sum.graph, graph);
  }

  const inOrder = [...minutes].sort(([a], [b]) => a - b);
  for (const [endsUs, graph] of inOrder) yield* end(0, { endsUs, graph });
  for (let level = 1; level < PERIODS_S.length; level++) {
    const last = sums[level];
    if (last !== undefined) yield* end(level, last);
  }
}

type Sum = { readonly endsUs: number; readonly graph: ServiceGraphBuilder };

/** Whole periods that make up a span of whole minutes, the longest that fit. */
export function coverByPeriods({ afterUs, lastUs }: Span): readonly (Span & { readonly periodS: number })[] {
  return coverWith(afterUs, lastUs, PERIODS_S);
}

function coverWith(
  afterUs: number,
  lastUs: number,
  periodsS: readonly number[],
): readonly (Span & { periodS: number })[] {
  const longer = periodsS.slice(0, -1);
  const periodS = periodsS.at(-1);
  if (periodS === undefined || afterUs >= lastUs) return [];
  const periodUs = periodS * 1e6;
  const first = Math.ceil(afterUs / periodUs) * periodUs;
  const last = Math.floor(lastUs / periodUs) * periodUs;
  if (first >= last) return coverWith(afterUs, lastUs, longer);
  return [
    ...coverWith(afterUs, first, longer),
    { afterUs: first, lastUs: last, periodS },
    ...coverWith(last, lastUs, longer),
  ];
}
