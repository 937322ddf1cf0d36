import { graphEndedIn, type TraceGraph } from '../../model/graph.ts';
import { addTrace, newServiceGraph, type ServiceGraphBuilder, type Sign } from '../../model/service-graph.ts';
import type { Trace } from '../../model/trace.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { linkGraph } from '../../model/trace-links.ts';
import { MINUTE_US, type MinuteGraphs, periodEnd, type Span } from './periods.ts';

/** What a trace counts in the map: its own requests and calls, and the messages that it took from other traces. */
export type TraceContribution = {
  readonly graph: TraceGraph;
  /** Services joined by messages that segments took which ended in the span. */
  readonly linkGraphEndingIn: (span: Span) => TraceGraph;
  /** When segments ended that may have taken messages. */
  readonly consumerEndsUs: readonly number[];
};

const EMPTY_GRAPH: TraceGraph = { nodes: [], edges: [] };
const NO_CONTRIBUTION: TraceContribution = {
  graph: EMPTY_GRAPH,
  linkGraphEndingIn: () => EMPTY_GRAPH,
  consumerEndsUs: [],
};

/** `traceOf` gives the traces that messages came from, as far as they are there; the trace itself among them. */
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
    linkGraphEndingIn: (span) => linkGraph(trace, traceOf, ({ endUs }) => endUs !== undefined && isIn(span, endUs)),
    consumerEndsUs: trace.segments.flatMap(({ endUs }) => endUs ?? []),
  };
}

/** Adds what a trace counts in a span in one go. */
export function addContribution(
  graph: ServiceGraphBuilder,
  trace: TraceContribution,
  span: Span,
  sign: Sign = 1,
): void {
  addTrace(graph, graphEndedIn(trace.graph, { fromUs: span.afterUs + 1, toUs: span.lastUs + 1 }), sign);
  if (trace.consumerEndsUs.length > 0) addTrace(graph, trace.linkGraphEndingIn(span), sign);
}

/**
 * Adds what a trace counts in each minute of a span of whole minutes, or takes it away. As the sums do, it counts the
 * trace once for each minute: what is counted for a longer time in one go can not be taken from them.
 */
export function addContributionByMinute(
  graph: ServiceGraphBuilder,
  trace: TraceContribution,
  span: Span,
  sign: Sign,
): void {
  for (const endsUs of minutesOf(trace)) {
    if (isIn(span, endsUs)) addContribution(graph, trace, minuteEndingAt(endsUs), sign);
  }
}

/** Adds what a trace counts in each minute to the graph of that minute, or takes it away. */
export function addToMinuteGraphs(minutes: MinuteGraphs, trace: TraceContribution, sign: Sign): void {
  for (const endsUs of minutesOf(trace)) {
    const graph = minutes.get(endsUs) ?? newServiceGraph();
    minutes.set(endsUs, graph);
    addContribution(graph, trace, minuteEndingAt(endsUs), sign);
  }
}

/** Ends of the minutes in which a trace counts something. */
function minutesOf({ graph, consumerEndsUs: linkEndsUs }: TraceContribution): ReadonlySet<number> {
  const minutes = new Set<number>();
  const add = (endUs: number) => minutes.add(periodEnd(endUs, MINUTE_US));
  for (const { responses } of graph.nodes) for (const { startUs, durationUs } of responses) add(startUs + durationUs);
  for (const { calls } of graph.edges) for (const { startUs, durationUs } of calls) add(startUs + durationUs);
  linkEndsUs.forEach(add);
  return minutes;
}

const minuteEndingAt = (endsUs: number): Span => ({ afterUs: endsUs - MINUTE_US, lastUs: endsUs });
const isIn = ({ afterUs, lastUs }: Span, us: number): boolean => us > afterUs && us <= lastUs;
