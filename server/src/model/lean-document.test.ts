import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { Document } from './entity.ts';
import { documentsOf, leanDocument } from './lean-document.ts';
import { serviceGraph } from './service-graph.ts';
import { summariseTrace } from './summarise.ts';
import { arbitraryDelivery, arbitraryTrace } from './testing/arbitrary-trace.ts';
import { aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import { traceGraph } from './trace-graph.ts';
import { linkedTraceIds } from './trace-links.ts';

function counted(documents: readonly Document[]) {
  const trace = assembleTrace(documents);
  return (
    trace && {
      graph: serviceGraph([traceGraph(trace)]),
      links: linkedTraceIds(trace),
      summary: summariseTrace(trace),
    }
  );
}

test('lean documents of any trace give the same graph and summary as complete ones', () => {
  fc.assert(
    fc.property(arbitraryTrace().chain(arbitraryDelivery), (delivery) => {
      const documents = receivedTexts(delivery);
      expect(counted(documents.map(leanDocument).flatMap(documentsOf))).toEqual(counted(documents));
    }),
  );
});

test('fields that name the called service are kept, other fields are removed', () => {
  const call = aSubsegment({ name: 'DynamoDB', namespace: 'aws', aws: { operation: 'PutItem', table_name: 'orders' } });
  const query = aSubsegment({ id: 'b'.repeat(16), name: 'orders@db', namespace: 'remote', sql: { url: 'pg://db' } });
  const documents = received(aSegment({ subsegments: [call, query], metadata: { default: { a: 1 } } }));
  const lean = documents.map(leanDocument).flatMap(documentsOf);
  expect(counted(lean)).toEqual(counted(documents));
  expect([...(counted(lean)?.graph.nodes.keys() ?? [])].join()).toContain('"orders","AWS::DynamoDB::Table"');
  expect(lean[0]?.entities.every(({ metadata, fields }) => metadata === undefined && !('name' in fields))).toBe(true);
});
