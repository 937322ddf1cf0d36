import { assembleTrace } from '../model/assemble.ts';
import type { Document } from '../model/entity.ts';
import type { TraceGraph } from '../model/graph.ts';
import { traceGraph } from '../model/trace-graph.ts';
import type { TraceId } from '../model/trace-id.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { loadDocuments } from './load-traces.ts';

/** The graph of a trace as it was when document `seq` was the last, and as it is now. */
export type TraceChange = { readonly before: TraceGraph; readonly after: TraceGraph };

/** Traces that are loaded at once: few, so that other work gets its turn in between. */
const BATCH = 100;
const NOTHING: TraceGraph = { nodes: [], edges: [] };

/**
 * What documents after `fromSeq` have changed in each of the traces, up to `toSeq` where that is given. One look at a
 * trace gives both graphs, so that they belong together whatever arrives meanwhile.
 */
export async function* changesOf(
  store: Store,
  traceIds: readonly TraceId[],
  { fromSeq, toSeq = Number.POSITIVE_INFINITY }: { readonly fromSeq: number; readonly toSeq?: number },
  options: QueryOptions,
): AsyncGenerator<readonly TraceChange[]> {
  for (let first = 0; first < traceIds.length; first += BATCH) {
    const documents = await loadDocuments(store, traceIds.slice(first, first + BATCH), options);
    yield Array.from(documents.values(), (all): TraceChange => {
      const known = all.filter(({ seq }) => seq <= toSeq);
      const before = known.filter(({ seq }) => seq <= fromSeq);
      const after = graphOf(known);
      return { before: before.length === known.length ? after : graphOf(before), after };
    });
  }
}

function graphOf(documents: readonly Document[]): TraceGraph {
  const trace = assembleTrace(documents);
  return trace === undefined ? NOTHING : traceGraph(trace);
}
