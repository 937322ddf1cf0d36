import { endingIn, type TraceGraph } from '../model/graph.ts';
import {
  addGraph,
  addTrace,
  newServiceGraph,
  type ServiceGraphBuilder,
  type Sign,
  withoutZeros,
} from '../model/service-graph.ts';
import type { PeriodGraph } from '../store/map-rows.ts';

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

/** Adds what a trace counts in each minute, or takes it away. */
export function addToMinutes(minutes: MinuteGraphs, trace: TraceGraph, sign: Sign): void {
  for (const endsUs of minutesOf(trace)) {
    const graph = minutes.get(endsUs) ?? newServiceGraph();
    minutes.set(endsUs, graph);
    addTrace(graph, endingWithin(trace, minuteBefore(endsUs)), sign);
  }
}

/**
 * Adds what a trace counts in each minute of a span of whole minutes, or takes it away. As the sums do, it counts the
 * trace once for each minute: what is counted for a longer time in one go can not be taken from them.
 */
export function addMinutesOf(graph: ServiceGraphBuilder, trace: TraceGraph, span: Span, sign: Sign): void {
  for (const endsUs of minutesOf(trace)) {
    if (endsUs <= span.afterUs || endsUs > span.lastUs) continue;
    addTrace(graph, endingWithin(trace, minuteBefore(endsUs)), sign);
  }
}

const minuteBefore = (endsUs: number): Span => ({ afterUs: endsUs - MINUTE_US, lastUs: endsUs });

export function endingWithin(trace: TraceGraph, { afterUs, lastUs }: Span): TraceGraph {
  return endingIn(trace, { fromUs: afterUs + 1, toUs: lastUs + 1 });
}

/** The end of the period in which something ended. */
export function periodEnd(endUs: number, periodUs: number): number {
  return Math.ceil(endUs / periodUs) * periodUs;
}

function minutesOf({ nodes, edges }: TraceGraph): ReadonlySet<number> {
  const minutes = new Set<number>();
  const add = (startUs: number, durationUs: number) => minutes.add(periodEnd(startUs + durationUs, MINUTE_US));
  for (const { responses } of nodes) for (const { startUs, durationUs } of responses) add(startUs, durationUs);
  for (const { calls } of edges) for (const { startUs, durationUs } of calls) add(startUs, durationUs);
  return minutes;
}

/** Minutes added up to all periods; what has come to nothing is left out. */
export function periodsOf(minutes: MinuteGraphs): readonly PeriodGraph[] {
  return PERIODS_S.flatMap((periodS) => {
    const graphs: MinuteGraphs = new Map();
    for (const [minuteUs, graph] of minutes) {
      const endsUs = periodEnd(minuteUs, periodS * 1e6);
      const sum = graphs.get(endsUs) ?? newServiceGraph();
      graphs.set(endsUs, sum);
      addGraph(sum, graph);
    }
    return [...graphs]
      .sort(([a], [b]) => a - b)
      .map(([endsUs, sum]) => ({ periodS, endsUs, graph: withoutZeros(sum) }));
  });
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
