import { expect, test } from 'vitest';
import { jaegerTrace } from './jaeger.ts';
import { jaegerSummary } from './jaeger-summary.ts';
import type { Span } from './otlp-messages.ts';
import { aSpan } from './testing/spans.ts';

const spanOf = (service: string, members: Partial<Span>) => ({
  service,
  spanWithResource: aSpan({ ...members, attributes: [] }, { 'service.name': service }),
});

test('a trace in a list', () => {
  const spans = [
    spanOf('shop', { spanId: '1'.repeat(16), parentSpanId: '9'.repeat(16), startTimeUnixNano: '1716560000100000000' }),
    spanOf('shop', { spanId: '2'.repeat(16), name: 'GET /', endTimeUnixNano: '1716560000900000000' }),
    spanOf('stock', { spanId: '3'.repeat(16), parentSpanId: '2'.repeat(16), status: { code: 2 } }),
  ];
  const trace = jaegerTrace('a'.repeat(32), spans);
  expect(jaegerSummary(trace)).toEqual({
    traceId: 'a'.repeat(32),
    rootServiceName: 'shop',
    rootOperationName: 'GET /',
    minStartTimeUnixNano: '1716560000000000000',
    maxEndTimeUnixNano: '1716560000900000000',
    spanCount: 3,
    errorSpanCount: 1,
    orphanSpanCount: 1,
    services: [
      { name: 'shop', spanCount: 2, errorSpanCount: 0 },
      { name: 'stock', spanCount: 1, errorSpanCount: 1 },
    ],
  });
});

test('without a root the first span whose parent is missing is the root', () => {
  const orphan = spanOf('shop', { parentSpanId: '9'.repeat(16), name: 'late' });
  expect(jaegerSummary(jaegerTrace('a'.repeat(32), [orphan]))).toMatchObject({ rootOperationName: 'late' });
});
