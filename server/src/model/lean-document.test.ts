import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { Document } from './entity.ts';
import {
  areSettled,
  type CountedDocument,
  canAssemble,
  documentsOf,
  type LeanDocument,
  leanDocument,
} from './lean-document.ts';
import { spanWriter } from './otlp/documents/stored-spans.ts';
import { serverSideId } from './otlp/to-xray/derived-ids.ts';
import { serviceGraph } from './service-graph.ts';
import { summariseTrace } from './summarise.ts';
import { arbitraryDelivery, arbitraryTrace } from './testing/arbitrary-trace.ts';
import { aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import { traceGraph } from './trace-graph.ts';
import { linkedTraceIds } from './trace-links.ts';

function counted(documents: readonly CountedDocument[]) {
  const trace = assembleTrace(documents);
  return (
    trace && {
      graph: serviceGraph([traceGraph(trace)]),
      links: linkedTraceIds(trace),
      summary: summariseTrace(trace),
    }
  );
}

const countedOf = (lean: LeanDocument): readonly CountedDocument[] => ('text' in lean ? documentsOf(lean) : [lean]);

test('lean documents of any trace of X-Ray give the graph and summary of complete ones, if they can be assembled', () => {
  let assembled = 0;
  let withVersions = 0;
  let all = 0;
  fc.assert(
    fc.property(arbitraryTrace().chain(arbitraryDelivery), (delivery) => {
      all++;
      const documents = receivedTexts([...new Set(delivery)]);
      const lean = documents.map(leanDocument).filter((one) => one.format === 'lean-segment');
      expect(lean.length).toBe(documents.length);
      if (!canAssemble(lean)) return;
      assembled++;
      if (!areSettled(lean)) withVersions++;
      expect(counted(lean)).toEqual(counted(documents));
      expect(canAssemble(lean.slice(1))).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(assembled / all).toBeGreaterThan(0.4);
  expect(withVersions / all).toBeGreaterThan(0.1);
});

test('fields that name the called service are kept, other fields are removed', () => {
  const call = aSubsegment({ name: 'DynamoDB', namespace: 'aws', aws: { operation: 'PutItem', table_name: 'orders' } });
  const query = aSubsegment({ id: 'b'.repeat(16), name: 'orders@db', namespace: 'remote', sql: { url: 'pg://db' } });
  const documents = received(aSegment({ subsegments: [call, query], metadata: { default: { a: 1 } } }));
  const lean = documents.map(leanDocument).flatMap(countedOf);
  expect(counted(lean)).toEqual(counted(documents));
  expect([...(counted(lean)?.graph.nodes.keys() ?? [])].join()).toContain('"orders","AWS::DynamoDB::Table"');
  expect(lean[0]?.entities.every(({ metadata, fields }) => metadata === undefined && !('name' in fields))).toBe(true);
});

const IDS = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'].map((text) => text.padStart(16, '0'));
const TRACE = 'f'.repeat(32);
/** What the Zipkin receiver calls the server side of a call. */
const SERVER_SIDE = serverSideId(TRACE, IDS[0] as string);
const NO_SCHEMAS = { scope: {}, resourceSchemaUrl: undefined, scopeSchemaUrl: undefined };
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const span = fc.record({
  service: fc.constantFrom('shop', 'stock', 'fn', undefined),
  instance: fc.constantFrom('1', '2', undefined),
  spanId: fc.constantFrom(...IDS, SERVER_SIDE),
  parentSpanId: fc.constantFrom(...IDS, undefined),
  kind: fc.constantFrom(1, 2, 3, 4, 5, undefined),
  flags: fc.constantFrom(0x101, 0x301, 1, undefined),
  start: fc.integer({ min: 0, max: 3 }),
  attributes: fc.constantFrom([], [text('db.system.name', 'redis')], [text('http.url', 'http://stock/')]),
});
const spans = fc.uniqueArray(span, {
  minLength: 1,
  maxLength: 6,
  selector: ({ spanId, kind }) => `${spanId} ${kind === 2}`,
});

/** Segments with a call inside, which may have the id of a span or of another call. */
const xrayCalls = fc.oneof(
  fc.constant([]),
  fc.uniqueArray(
    fc.record({
      id: fc.constantFrom('b1', 'b2').map((digits) => digits.padStart(16, '0')),
      call: fc.constantFrom(...IDS),
      name: fc.constantFrom('stock', 'stock.example'),
    }),
    { minLength: 1, maxLength: 2, selector: ({ id }) => id },
  ),
);

test('settled spans make the trace that they make with all their data', () => {
  let settled = 0;
  let all = 0;
  fc.assert(
    fc.property(spans, fc.boolean(), xrayCalls, fc.nat(5), (sent, withFunction, calls, later) => {
      const documents: Document[] = sent.map(({ service, instance, start, ...rest }, index) => {
        const attributes = [
          ...(service === undefined ? [] : [text('service.name', service)]),
          ...(instance === undefined ? [] : [text('service.instance.id', instance)]),
        ];
        const nanos = `${1_790_000_000 + start}000000000`;
        const times = { startTimeUnixNano: nanos, endTimeUnixNano: nanos };
        return spanWriter({ ...NO_SCHEMAS, resource: { attributes } }, new Set())(
          { ...rest, ...times, traceId: TRACE, name: 'x' },
          index + 1,
        );
      });
      const trace_id = `1-${'f'.repeat(8)}-${'f'.repeat(24)}`;
      for (const { id, call, name } of calls) {
        const subsegments = [aSubsegment({ id: call, name, namespace: 'remote' })];
        documents.push(...received(aSegment({ id, trace_id, subsegments })));
      }
      if (withFunction) {
        const id = IDS[later] as string;
        documents.push(
          ...received(
            aSegment({
              id,
              trace_id,
              name: 'fn',
              origin: 'AWS::Lambda::Function',
            }),
          ),
        );
      }
      all++;
      const lean = documents.map(leanDocument).flatMap(countedOf);
      if (!areSettled(lean)) return;
      settled++;
      expect(counted(lean)).toEqual(counted(documents));
      expect(areSettled(lean.slice(1))).toBe(true);
    }),
    { numRuns: 3_000 },
  );
  expect(settled / all).toBeGreaterThan(0.2);
});
