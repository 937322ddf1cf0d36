import { bench, describe } from 'vitest';
import { assembleTrace } from '../../server/src/model/assemble.ts';
import { addGraph, newServiceGraph, serviceGraph } from '../../server/src/model/service-graph.ts';
import { summariseTrace } from '../../server/src/model/summarise.ts';
import type { Trace } from '../../server/src/model/trace.ts';
import { traceGraph } from '../../server/src/model/trace-graph.ts';
import { documentsByTrace } from './documents.ts';

const traces = documentsByTrace.map((documents) => assembleTrace(documents) as Trace);
const graphs = traces.map(traceGraph);

describe('a hundred traces of ten spans', () => {
  bench('assembleTrace', () => {
    for (const documents of documentsByTrace) assembleTrace(documents);
  });

  bench('traceGraph', () => {
    for (const trace of traces) traceGraph(trace);
  });

  bench('summariseTrace, graph given', () => {
    for (const [index, trace] of traces.entries()) summariseTrace(trace, graphs[index]);
  });

  bench('serviceGraph and adding it', () => {
    addGraph(newServiceGraph(), serviceGraph(graphs));
  });
});
