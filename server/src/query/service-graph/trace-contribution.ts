import { graphEndedIn, type TraceGraph } from '../../model/graph.ts';
import { addTrace, newServiceGraph, type ServiceGraphBuilder, type Sign } from '../../model/service-graph.ts';
import { contains, endedIn, type TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { linkGraph } from '../../model/trace-links.ts';
import { MINUTE_US, type MinuteGraphs, periodContaining, periodEnd } from './periods.ts';

/** The contribution of one trace to the service graph: its requests and calls, and the messages that it consumed. */
export type TraceContribution = {
  readonly graph: TraceGraph;
  /** Edges from producers to the segments that consumed their messages and ended in the interval. */
  readonly linkGraphEndingIn: (interval: TimeInterval) => TraceGraph;
  /** Ends of the segments that may have consumed messages. */
  readonly consumerEndsUs: readonly number[];
};

const EMPTY_GRAPH: TraceGraph = { nodes: [], edges: [] };
export const NO_CONTRIBUTION: TraceContribution = {
  graph: EMPTY_GRAPH,
  linkGraphEndingIn: () => EMPTY_GRAPH,
  consumerEndsUs: [],
};

/** `traceOf` finds the traces of producers, as far as they have arrived, and the trace itself. */
export function contributionOf(
  trace: Trace | undefined,
  traceOf: (id: TraceId) => Trace | undefined,
): TraceContribution {
  if (trace === undefined) return NO_CONTRIBUTION;
  const graph = traceGraph(trace);
  const hasLinks = [...trace.entities.values()].some(({ links }) => links.length > 0);
  if (!hasLinks) return { ...NO_CONTRIBUTION, graph };
  return {
    graph,
    linkGraphEndingIn: (interval) => linkGraph(trace, traceOf, (segment) => endedIn(interval, segment)),
    consumerEndsUs: trace.segments.flatMap(({ endUs }) => endUs ?? []),
  };
}

/** Adds the contribution of a trace in an interval; the trace counts once. */
export function addContribution(
  graph: ServiceGraphBuilder,
  trace: TraceContribution,
  interval: TimeInterval,
  sign: Sign = 1,
): void {
  addTrace(graph, graphEndedIn(trace.graph, interval), sign);
  if (trace.consumerEndsUs.length > 0) addTrace(graph, trace.linkGraphEndingIn(interval), sign);
}

/**
 * Adds or subtracts the contribution of a trace in each minute of an interval of whole minutes. The trace counts once
 * for each minute, as in the roll-up: a contribution for a longer interval cannot be subtracted from the roll-up.
 */
export function addContributionByMinute(
  graph: ServiceGraphBuilder,
  trace: TraceContribution,
  interval: TimeInterval,
  sign: Sign,
): void {
  for (const endsUs of minutesOf(trace)) {
    if (contains(interval, endsUs)) addContribution(graph, trace, periodContaining(endsUs, MINUTE_US), sign);
  }
}

/** Adds the contribution of a trace in each minute to the graph of that minute, or subtracts it. */
export function addToMinuteGraphs(minutes: MinuteGraphs, trace: TraceContribution, sign: Sign): void {
  for (const endsUs of minutesOf(trace)) {
    const graph = minutes.get(endsUs) ?? newServiceGraph();
    minutes.set(endsUs, graph);
    addContribution(graph, trace, periodContaining(endsUs, MINUTE_US), sign);
  }
}

/** Ends of the minutes in which a request, a call or a consumer of the trace ended. */
function minutesOf({ graph, consumerEndsUs }: TraceContribution): ReadonlySet<number> {
  const minutes = new Set<number>();
  const add = (endUs: number) => minutes.add(periodEnd(endUs, MINUTE_US));
  for (const { responses } of graph.nodes) for (const { startUs, durationUs } of responses) add(startUs + durationUs);
  for (const { calls } of graph.edges) for (const { startUs, durationUs } of calls) add(startUs + durationUs);
  consumerEndsUs.forEach(add);
  return minutes;
}
