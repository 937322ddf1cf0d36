import type { Filter } from '../filter/ast.ts';
import { matches } from '../filter/matches.ts';
import { subjectOf } from '../filter/subject.ts';
import type { GraphEdge, GraphNode, Observation, TraceGraph } from '../model/graph.ts';
import { emptyServiceGraph, mergeServiceGraphs, type ServiceGraph, serviceGraph } from '../model/service-graph.ts';
import type { TraceId } from '../model/trace-id.ts';
import { type Sql, sql } from '../store/sql.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { narrowFilter } from './filter-narrow.ts';
import { loadTraces } from './load-traces.ts';
import { narrowSql } from './narrow.ts';
import { isWithin, type TimeWindow } from './window.ts';

const BATCH = 500;

/**
 * Everything that ended in the window, of traces that match, added up. A request counts in the moment in which it
 * ended, so that the graphs of two adjacent windows add up to the graph of both.
 */
export async function serviceGraphOf(
  store: Store,
  { window, filter }: { readonly window: TimeWindow; readonly filter: Filter | undefined },
  options: QueryOptions = {},
): Promise<ServiceGraph> {
  let graph = emptyServiceGraph();
  for await (const traces of tracesEndingIn(store, window, filter, options)) {
    graph = mergeServiceGraphs(graph, serviceGraph(traces.map((trace) => endingIn(trace, window))));
  }
  return graph;
}

/** Traces in which anything ended in the window, each once, in no order. */
export function endedTracesSql(window: TimeWindow, filter: Filter | undefined): Sql {
  const narrow = filter && narrowFilter(filter.condition);
  const where = sql.and([
    sql`end_us >= ${window.fromUs} AND end_us < ${window.toUs}`,
    ...(narrow ? [narrowSql(narrow, sql`true`)] : []),
  ]);
  return sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities WHERE ${where}`;
}

/** Graphs of the traces that match and of which something ended in the window, some hundred at a time, in no order. */
export async function* tracesEndingIn(
  store: Store,
  window: TimeWindow,
  filter: Filter | undefined,
  options: QueryOptions,
): AsyncGenerator<readonly TraceGraph[]> {
  const rows = await store.query<{ trace_id: TraceId }>(endedTracesSql(window, filter), options);
  for (let first = 0; first < rows.length; first += BATCH) {
    const ids = rows.slice(first, first + BATCH).map((row) => row.trace_id);
    const subjects = (await loadTraces(store, ids, options)).map(subjectOf);
    yield subjects.filter((subject) => filter === undefined || matches(filter, subject)).map(({ graph }) => graph);
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
    .map(
      (node): GraphNode => ({
        ...node,
        responses: node.responses.filter(hasEnded),
        durationsUs: node.durationsUs.filter((_, index) => hasEnded(node.responses[index] as Observation)),
      }),
    )
    .filter(({ key, responses }) => responses.length > 0 || ends.has(key));
  return { nodes, edges };
}
