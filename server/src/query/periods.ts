import { addGraph, newServiceGraph, type ServiceGraphBuilder, withoutZeros } from '../model/service-graph.ts';
import type { PeriodGraph } from '../store/map-rows.ts';

/** Seconds of the periods that are added up ahead, each a multiple of the one before. */
export const PERIODS_S = [60, 600, 3_600, 86_400] as const;
export const MINUTE_US = 60_000_000;

/**
 * Time between two moments, the first not in it and the second in it: how X-Ray counts the periods of a time series,
 * and so how openray adds up.
 */
export type Span = { readonly afterUs: number; readonly lastUs: number };

/** Graphs by the end of the minute, or of a longer period, in which what they count ended. */
export type MinuteGraphs = Map<number, ServiceGraphBuilder>;

/** The end of the period in which something ended. */
export function periodEnd(endUs: number, periodUs: number): number {
  return Math.ceil(endUs / periodUs) * periodUs;
}

/** Minutes added up to all periods, each from the one before; what has come to nothing is left out. */
export function periodsOf(minutes: MinuteGraphs): readonly PeriodGraph[] {
  let graphs: MinuteGraphs = new Map();
  return PERIODS_S.flatMap((periodS) => {
    graphs = periodS === MINUTE_US / 1e6 ? minutes : addedUp(graphs, periodS * 1e6);
    return [...graphs]
      .sort(([a], [b]) => a - b)
      .map(([endsUs, sum]) => ({ periodS, endsUs, graph: withoutZeros(sum) }));
  });
}

function addedUp(shorter: MinuteGraphs, periodUs: number): MinuteGraphs {
  const graphs: MinuteGraphs = new Map();
  for (const [shorterUs, graph] of shorter) {
    const endsUs = periodEnd(shorterUs, periodUs);
    const sum = graphs.get(endsUs) ?? newServiceGraph();
    graphs.set(endsUs, sum);
    addGraph(sum, graph);
  }
  return graphs;
}

/** Whole periods that make up a span of whole minutes, the longest that fit. */
export function cover({ afterUs, lastUs }: Span): readonly (Span & { readonly periodS: number })[] {
  return coverBy(afterUs, lastUs, PERIODS_S);
}

function coverBy(
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
  if (first >= last) return coverBy(afterUs, lastUs, longer);
  return [
    ...coverBy(afterUs, first, longer),
    { afterUs: first, lastUs: last, periodS },
    ...coverBy(last, lastUs, longer),
  ];
}
