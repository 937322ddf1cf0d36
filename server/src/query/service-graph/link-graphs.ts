import type { Entity } from '../../model/entity.ts';
import type { TraceGraph } from '../../model/graph.ts';
import type { Trace } from '../../model/trace.ts';
import { linkedTraceIds, linkGraph } from '../../model/trace-links.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { assembledTraces, documentGroups } from '../traces/load-traces.ts';

/**
 * For each trace that consumed messages: the edges of the links from their producers. Only consumers for whose segment
 * `counts` is true.
 */
export async function linkGraphs(
  store: Store,
  traces: readonly Trace[],
  counts: (segment: Entity) => boolean,
  options: QueryOptions = {},
): Promise<readonly TraceGraph[]> {
  const known = new Map(traces.map((trace) => [trace.id, trace]));
  const wanted = [...new Set(traces.flatMap(linkedTraceIds))].filter((id) => !known.has(id));
  for await (const group of documentGroups(store, wanted, options)) {
    for (const trace of assembledTraces(group)) known.set(trace.id, trace);
  }
  return traces.map((trace) => linkGraph(trace, (id) => known.get(id), counts)).filter(({ edges }) => edges.length > 0);
}
