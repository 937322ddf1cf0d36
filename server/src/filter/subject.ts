import type { TraceGraph } from '../model/graph.ts';
import { summariseTrace } from '../model/summarise.ts';
import type { TraceSummary } from '../model/summary.ts';
import type { Trace } from '../model/trace.ts';
import { traceGraph } from '../model/trace-graph.ts';

/** A trace with the data that filters are evaluated on. */
export type FilterSubject = { readonly trace: Trace; readonly graph: TraceGraph; readonly summary: TraceSummary };

export function subjectOf(trace: Trace): FilterSubject {
  const graph = traceGraph(trace);
  return { trace, graph, summary: summariseTrace(trace, graph) };
}
