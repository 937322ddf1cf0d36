import { expect, test } from 'vitest';
import { jaegerTrace } from './jaeger.ts';
import type { TraceSpan } from './otlp/documents/trace-to-spans.ts';
import { type AnyValue, KIND, type Span } from './otlp-messages.ts';

const TRACE = '83a9efd15c1c98a977e0711cc93ee28b';

function aSpan(fields: Partial<Span> = {}, service = 'orders'): TraceSpan {
  return {
    service,
    spanWithResource: {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: service } },
          { key: 'host.name', value: { stringValue: 'a' } },
        ],
      },
      resourceSchemaUrl: undefined,
      scope: { name: 'http', version: '2' },
      scopeSchemaUrl: undefined,
      span: {
        traceId: TRACE,
        spanId: 'e127af99e3b3e074',
        name: 'GET /orders',
        startTimeUnixNano: '1706678909209712000',
        endTimeUnixNano: '1706678909209835000',
        ...fields,
      },
    },
  };
}

const tagOf = (value: AnyValue) =>
  jaegerTrace(TRACE, [aSpan({ attributes: [{ key: 'k', value }] })]).spans[0]?.tags.find(({ key }) => key === 'k');

test('a failed server span with its parent, a link and an event', () => {
  const trace = jaegerTrace(TRACE, [
    aSpan({
      parentSpanId: '909541b92cf05311',
      kind: KIND.server,
      flags: 0x301,
      traceState: 'a=b',
      status: { code: 2, message: 'boom' },
      links: [{ traceId: 'f'.repeat(32), spanId: 'f'.repeat(16) }],
      events: [
        {
          timeUnixNano: '1706678909209713000',
          name: 'exception',
          attributes: [{ key: 'exception.type', value: { stringValue: 'Oops' } }],
        },
      ],
    }),
  ]);
  expect(trace).toEqual({
    traceID: TRACE,
    spans: [
      {
        traceID: TRACE,
        spanID: 'e127af99e3b3e074',
        flags: 1,
        operationName: 'GET /orders',
        references: [
          { refType: 'CHILD_OF', traceID: TRACE, spanID: '909541b92cf05311' },
          { refType: 'FOLLOWS_FROM', traceID: 'f'.repeat(32), spanID: 'f'.repeat(16) },
        ],
        startTime: 1_706_678_909_209_712,
        duration: 123,
        tags: [
          { key: 'otel.scope.name', type: 'string', value: 'http' },
          { key: 'otel.scope.version', type: 'string', value: '2' },
          { key: 'span.kind', type: 'string', value: 'server' },
          { key: 'otel.status_code', type: 'string', value: 'ERROR' },
          { key: 'error', type: 'bool', value: true },
          { key: 'otel.status_description', type: 'string', value: 'boom' },
          { key: 'w3c.tracestate', type: 'string', value: 'a=b' },
        ],
        logs: [
          {
            timestamp: 1_706_678_909_209_713,
            fields: [
              { key: 'event', type: 'string', value: 'exception' },
              { key: 'exception.type', type: 'string', value: 'Oops' },
            ],
          },
        ],
        processID: 'p1',
        warnings: null,
      },
    ],
    processes: { p1: { serviceName: 'orders', tags: [{ key: 'host.name', type: 'string', value: 'a' }] } },
    warnings: null,
  });
});

test.each([
  [{ stringValue: 'x' }, 'string', 'x'],
  [{ boolValue: false }, 'bool', false],
  [{ intValue: '7' }, 'int64', 7],
  [{ intValue: '9223372036854775222' }, 'int64', '9223372036854775222'],
  [{ doubleValue: 72.5 }, 'float64', 72.5],
  [{ doubleValue: 'NaN' as const }, 'string', 'NaN'],
  [{ bytesValue: 'AAAwOQ==' }, 'binary', 'AAAwOQ=='],
  [{ arrayValue: { values: [{ intValue: '1' }, { stringValue: 'b' }] } }, 'string', '[1,"b"]'],
  [{}, 'string', ''],
])('the value %j is a tag of type %s', (value, type, shown) => {
  expect(tagOf(value)).toEqual({ key: 'k', type, value: shown });
});

test('a span in progress has no duration and a warning', () => {
  const [span] = jaegerTrace(TRACE, [aSpan({ endTimeUnixNano: undefined })]).spans;
  expect(span).toMatchObject({ duration: 0, warnings: ['the span is in progress'] });
});

test('spans of one service and resource share a process', () => {
  const { spans, processes } = jaegerTrace(TRACE, [aSpan(), aSpan({}, 'stock'), aSpan()]);
  expect(spans.map(({ processID }) => processID)).toEqual(['p1', 'p2', 'p1']);
  expect(Object.values(processes).map(({ serviceName }) => serviceName)).toEqual(['orders', 'stock']);
});

test('an exception in a log record is once among the logs of its span', () => {
  const attributes = [{ key: 'exception.type', value: { stringValue: 'Late' } }];
  const { span } = aSpan().spanWithResource;
  const record = { traceId: TRACE, spanId: span.spanId, timeUnixNano: '1706678909209713000', attributes };
  const other = { ...record, spanId: 'a'.repeat(16) };
  const log = {
    timestamp: 1_706_678_909_209_713,
    fields: [
      { key: 'event', type: 'string', value: 'exception' },
      { key: 'exception.type', type: 'string', value: 'Late' },
    ],
  };
  expect(jaegerTrace(TRACE, [aSpan()], [record, record, other]).spans[0]?.logs).toEqual([log]);
  const withEvent = aSpan({ events: [{ timeUnixNano: record.timeUnixNano, name: 'exception', attributes }] });
  expect(jaegerTrace(TRACE, [withEvent], [record]).spans[0]?.logs).toEqual([log]);
});
