import type { TraceGraph } from '../model/graph.ts';
import type { TraceSummary } from '../model/summary.ts';
import type { Trace } from '../model/trace.ts';

/** A trace as a filter sees it. */
export type FilterSubject = { readonly trace: Trace; readonly graph: TraceGraph; readonly summary: TraceSummary };
