import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { spanWriter } from './otlp/documents/stored-spans.ts';
import { KIND, type SpanWithResource } from './otlp-messages.ts';
import { A_SPAN_TRACE_ID, aSpan } from './testing/spans.ts';
import type { Trace } from './trace.ts';
import { linkedTraceIds, linkGraph } from './trace-links.ts';

const PRODUCER_TRACE = 'a'.repeat(32);

function traceOf(...spans: readonly SpanWithResource[]): Trace {
  const documents = spans.map((place, index) => spanWriter(place, new Set())(place.span, index + 1));
  return assembleTrace(documents) as Trace;
}

const sent = traceOf(
  aSpan({ traceId: PRODUCER_TRACE, spanId: '1'.repeat(16), kind: KIND.server }, { 'service.name': 'shop' }),
  aSpan(
    {
      traceId: PRODUCER_TRACE,
      spanId: '2'.repeat(16),
      parentSpanId: '1'.repeat(16),
      flags: 0x101,
      kind: KIND.producer,
      attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
    },
    { 'service.name': 'shop' },
  ),
);
const link = { traceId: PRODUCER_TRACE, spanId: '2'.repeat(16) };
const later = { startTimeUnixNano: '1716560002000000000', endTimeUnixNano: '1716560003000000000' };
const consumed = traceOf(
  aSpan({ spanId: '3'.repeat(16), kind: KIND.server, ...later }, { 'service.name': 'billing' }),
  aSpan(
    {
      spanId: '4'.repeat(16),
      parentSpanId: '3'.repeat(16),
      flags: 0x101,
      kind: KIND.consumer,
      links: [link],
      ...later,
    },
    { 'service.name': 'billing' },
  ),
);
const known = (id: string) => (id === PRODUCER_TRACE ? sent : undefined);

test('a message leads from the service that held it to the service that received it, with its age', () => {
  const { nodes, edges } = linkGraph(consumed, known, () => true);
  expect(nodes.map(({ service }) => service.name)).toEqual(['orders', 'billing']);
  expect(edges).toMatchObject([
    { from: nodes[0]?.key, to: nodes[1]?.key, type: 'link', calls: [], eventAgesUs: [2_000_000] },
  ]);
});

test('a link that X-Ray shows at the segment as well counts once', () => {
  expect(consumed.segments[0]?.links).toHaveLength(1);
  expect(consumed.id).toBe(A_SPAN_TRACE_ID);
  expect(linkedTraceIds(consumed)).toEqual([PRODUCER_TRACE]);
  expect(linkGraph(consumed, known, () => true).edges[0]?.eventAgesUs).toHaveLength(1);
});

test('there is no edge for a producer that was not received or a consumer that is not included', () => {
  expect(
    linkGraph(
      consumed,
      () => undefined,
      () => true,
    ).edges,
  ).toEqual([]);
  expect(linkGraph(consumed, known, () => false).edges).toEqual([]);
});

test('a batch of a thousand messages has a thousand ages', () => {
  const links = Array.from({ length: 1000 }, (_, index) => ({
    traceId: (index + 1).toString(16).padStart(32, '0'),
    spanId: '2'.repeat(16),
  }));
  const batch = traceOf(aSpan({ kind: KIND.consumer, links, ...later }, { 'service.name': 'billing' }));
  expect(
    linkGraph(
      batch,
      () => sent,
      () => true,
    ).edges[0]?.eventAgesUs,
  ).toHaveLength(1000);
});
