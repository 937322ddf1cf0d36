import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from '../../assemble.ts';
import type { Document } from '../../entity.ts';
import { KIND, type SpanWithResource } from '../../otlp-messages.ts';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { arbitraryTrace, plainDelivery } from '../../testing/arbitrary-trace.ts';
import { A_TRACE_ID, anId, aSegment, aSubsegment, received, receivedTexts } from '../../testing/builders.ts';
import { readTraceId } from '../../trace-id.ts';
import { spanWriter } from './stored-spans.ts';
import { traceToSpans } from './trace-to-spans.ts';

const TRACE = readTraceId(A_TRACE_ID) as string;

function sent(entry: SpanWithResource, seq = 1): Document {
  return spanWriter(entry, new Set())(entry.span, seq);
}

function spansOf(documents: readonly Document[]) {
  const trace = assembleTrace(documents);
  return trace === undefined ? [] : traceToSpans(trace, documents);
}

const aSpan = (fields: Partial<SpanWithResource['span']> = {}): SpanWithResource => ({
  resource: { attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }] },
  resourceSchemaUrl: undefined,
  scope: {},
  scopeSchemaUrl: undefined,
  span: {
    traceId: TRACE,
    spanId: anId('a1'),
    name: 'charge',
    kind: KIND.client,
    startTimeUnixNano: '1716560000100000001',
    endTimeUnixNano: '1716560000200000002',
    ...fields,
  },
});

test('a span is returned as it was received', () => {
  fc.assert(
    fc.property(arbitrarySpan, (entry) => {
      expect(spansOf([sent(entry)]).map((one) => one.spanWithResource)).toEqual([entry]);
    }),
  );
});

test('every X-Ray segment and subsegment becomes one span with the same parent', () => {
  fc.assert(
    fc.property(arbitraryTrace(), (generated) => {
      const documents = receivedTexts(plainDelivery(generated));
      const trace = assembleTrace(documents);
      const spans = spansOf(documents);
      expect(new Map(spans.map(({ spanWithResource: entry }) => [entry.span.spanId, entry.span.parentSpanId]))).toEqual(
        new Map(Array.from(trace?.entities.values() ?? [], ({ id, parentId }) => [id, parentId])),
      );
      expect(spans).toHaveLength(trace?.entities.size ?? 0);
    }),
    { numRuns: 50 },
  );
});

test('spans are ordered to the nanosecond, and a parent comes before a child that started with it', () => {
  const parent = sent(aSpan({ spanId: anId('f0'), kind: KIND.server, name: 'parent' }));
  const child = sent(aSpan({ spanId: anId('01'), parentSpanId: anId('f0'), name: 'child' }));
  const next = sent(aSpan({ spanId: anId('02'), startTimeUnixNano: '1716560000100000002', name: 'next' }));
  expect(spansOf([next, child, parent]).map(({ spanWithResource: entry }) => entry.span.name)).toEqual([
    'parent',
    'child',
    'next',
  ]);
});

test('the synthetic segment around a call does not become a span', () => {
  expect(spansOf([sent(aSpan())]).map(({ spanWithResource: entry }) => entry.span.name)).toEqual(['charge']);
});

test('the first finished version of a span counts', () => {
  const started = sent(aSpan({ endTimeUnixNano: undefined }), 1);
  const ended = sent(aSpan({ name: 'charged' }), 2);
  const late = sent(aSpan({ name: 'too late' }), 3);
  for (const documents of [
    [started, ended, late],
    [late, ended, started],
  ]) {
    expect(spansOf(documents).map(({ spanWithResource: entry }) => entry.span.name)).toEqual(['charged']);
  }
});

test('spans and segments of one trace belong to the services of the service graph', () => {
  const [segment] = received(aSegment({ subsegments: [aSubsegment({ id: anId('b2'), namespace: 'remote' })] }));
  const later = { startTimeUnixNano: '1716560000150000000' };
  const called = sent(aSpan({ ...later, kind: KIND.server, parentSpanId: anId('b2'), flags: 0x301 }));
  expect(
    spansOf([segment as Document, called]).map(({ service, spanWithResource: entry }) => [service, entry.span.kind]),
  ).toEqual([
    ['shop', KIND.server],
    ['shop', KIND.client],
    ['checkout', KIND.server],
  ]);
});
