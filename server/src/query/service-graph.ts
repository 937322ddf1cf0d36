import type { Filter } from '../filter/ast.ts';
import { matches } from '../filter/matches.ts';
import type { GraphEdge, GraphNode, Observation, TraceGraph } from '../model/graph.ts';
import { addTrace, emptyServiceGraph, type ServiceGraph } from '../model/service-graph.ts';
import type { TraceId } from '../model/trace-id.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { endedTracesSql } from './candidates.ts';
import { subjectOf } from './find-traces.ts';
import { loadTraces } from './load-traces.ts';
import { isWithin, type TimeWindow } from './window.ts';

/**
 * Everything that ended in the window, of traces that match, added up. An observation counts in the moment in which
 * it ended, so that the graphs of two adjacent windows add up to the graph of both.
 */
export async function serviceGraphOf(
  store: Store,
  { window, filter }: { readonly window: TimeWindow; readonly filter: Filter | undefined },
  options: QueryOptions = {},
): Promise<ServiceGraph> {
  const graph = emptyServiceGraph();
  for await (const found of tracesEndingIn(store, window, filter, options)) addTrace(graph, endingIn(found, window));
  return graph;
}

const BATCH = 500;

/** Graphs of the traces that match and of which something ended in the window, in no order. */
export async function* tracesEndingIn(
  store: Store,
  window: TimeWindow,
  filter: Filter | undefined,
  options: QueryOptions,
): AsyncGenerator<TraceGraph> {
  const rows = await store.query<{ trace_id: TraceId }>(endedTracesSql(window, filter), options);
  for (let first = 0; first < rows.length; first += BATCH) {
    const ids = rows.slice(first, first + BATCH).map((row) => row.trace_id);
    for (const trace of await loadTraces(store, ids, options)) {
      const subject = subjectOf(trace);
      if (filter === undefined || matches(filter, subject)) yield subject.graph;
    }
  }
}

/** The part of a trace's graph that ended in the window. */
export function endingIn(graph: TraceGraph, window: TimeWindow): TraceGraph {
  const hasEnded = ({ startUs, durationUs }: Observation) => isWithin(window, startUs + durationUs);
  const edges = graph.edges
    .map((edge): GraphEdge => ({ ...edge, calls: edge.calls.filter(hasEnded) }))
    .filter(({ calls, type }) => calls.length > 0 || type === 'link');
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const nodes = graph.nodes
    .map((node): GraphNode => ({ ...node, responses: node.responses.filter(hasEnded) }))
    .filter(({ key, responses }) => responses.length > 0 || ends.has(key));
  return { nodes, edges };
}
