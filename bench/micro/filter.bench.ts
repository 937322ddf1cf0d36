import { bench, describe } from 'vitest';
import { matches } from '../../server/src/filter/matches.ts';
import { parseFilter } from '../../server/src/filter/parser.ts';
import type { FilterSubject } from '../../server/src/filter/subject.ts';
import { assembleTrace } from '../../server/src/model/assemble.ts';
import { summariseTrace } from '../../server/src/model/summarise.ts';
import type { Trace } from '../../server/src/model/trace.ts';
import { traceGraph } from '../../server/src/model/trace-graph.ts';
import { documentsByTrace } from './documents.ts';

const subjects = documentsByTrace.map((documents): FilterSubject => {
  const trace = assembleTrace(documents) as Trace;
  const graph = traceGraph(trace);
  return { trace, graph, summary: summariseTrace(trace, graph) };
});

const EXPRESSIONS = [
  'annotation.tier = "gold"',
  'service("checkout-web") { fault = true } AND responsetime > 0.01',
  'http.status >= 400 OR (annotation.attempt > 1 AND NOT user = "ann")',
  'metadata.default.order_id = "o-17-0000"',
];

describe('parse', () => {
  for (const expression of EXPRESSIONS) {
    bench(expression, () => {
      parseFilter(expression);
    });
  }
});

describe('match a hundred traces', () => {
  for (const expression of EXPRESSIONS) {
    const filter = parseFilter(expression);
    bench(expression, () => {
      for (const subject of subjects) matches(filter, subject);
    });
  }
});
