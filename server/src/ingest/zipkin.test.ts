import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenrayError } from '../errors.ts';
import { KIND, type Span, type SpanWithResource } from '../model/otlp-messages.ts';
import { readZipkin } from './zipkin.ts';

const TRACE = '4e441824ec2b6a44ffdc9bb9a6453df3';

function spansOf(...sent: readonly object[]): readonly SpanWithResource[] {
  const { data } = readZipkin(JSON.stringify(sent));
  return (data.resourceSpans ?? []).map(({ resource = {}, schemaUrl, scopeSpans = [] }) => ({
    resource,
    resourceSchemaUrl: schemaUrl,
    scope: scopeSpans[0]?.scope ?? {},
    scopeSchemaUrl: undefined,
    span: scopeSpans[0]?.spans?.[0] as Span,
  }));
}

const spanOf = (fields: object) =>
  spansOf({
    traceId: TRACE,
    id: 'ffdc9bb9a6453df3',
    timestamp: 1_502_787_600_000_000,
    duration: 150_000,
    ...fields,
  })[0];

const valuesOf = (list: Span['attributes'] = []) =>
  Object.fromEntries(list.map(({ key = '', value = {} }) => [key, Object.values(value)[0]]));

test('a client span with both of its endpoints', () => {
  const result = spanOf({
    name: 'get /api',
    kind: 'CLIENT',
    parentId: '86154a4ba6e91385',
    localEndpoint: { serviceName: 'frontend', ipv4: '192.168.99.1', port: 3306 },
    remoteEndpoint: { serviceName: 'backend', ipv6: '2001:db8::c001', port: 9000 },
    tags: { 'http.method': 'GET' },
  });
  expect(result?.span).toMatchObject({
    traceId: TRACE,
    spanId: 'ffdc9bb9a6453df3',
    parentSpanId: '86154a4ba6e91385',
    name: 'get /api',
    kind: KIND.client,
    startTimeUnixNano: '1502787600000000000',
    endTimeUnixNano: '1502787600150000000',
  });
  expect(valuesOf(result?.resource.attributes)).toEqual({ 'service.name': 'frontend' });
  expect(valuesOf(result?.span.attributes)).toEqual({
    'http.method': 'GET',
    'network.local.address': '192.168.99.1',
    'network.local.port': '3306',
    'peer.service': 'backend',
    'network.peer.address': '2001:db8::c001',
    'network.peer.port': '9000',
  });
});

test('ids of 64 bits get zeros in front, and any case is read', () => {
  const [result] = spansOf({ traceId: 'FFDC9BB9A6453DF3', id: 'ab', timestamp: 1, duration: 1 });
  expect(result?.span).toMatchObject({ traceId: '0000000000000000ffdc9bb9a6453df3', spanId: '00000000000000ab' });
});

test.each([
  [{ error: 'no such table' }, { code: 2, message: 'no such table' }],
  [{ error: 'true' }, { code: 2, message: undefined }],
  [{ error: '' }, { code: 2, message: undefined }],
  [
    { 'otel.status_code': 'ERROR', error: 'boom' },
    { code: 2, message: 'boom' },
  ],
  [{ 'otel.status_code': 'OK' }, { code: 1 }],
  [{}, undefined],
])('tags %j mean the status %j', (tags, status) => {
  const result = spanOf({ tags });
  expect(result?.span.status).toEqual(status);
  expect(result?.span.attributes).toBeUndefined();
});

test('tags that an OpenTelemetry exporter added become resource and scope', () => {
  const tags = {
    'telemetry.sdk.name': 'opentelemetry',
    'host.id': 'i-1',
    'otel.scope.name': 'http',
    'otel.scope.version': '2',
    'otel.dropped_events_count': '3',
    'w3c.tracestate': 'a=b',
    tenant: 'gold',
  };
  const result = spanOf({ tags });
  expect(valuesOf(result?.resource.attributes)).toEqual({ 'telemetry.sdk.name': 'opentelemetry', 'host.id': 'i-1' });
  expect(result?.scope).toEqual({ name: 'http', version: '2' });
  expect(result?.span).toMatchObject({ traceState: 'a=b', droppedEventsCount: 3 });
  expect(valuesOf(result?.span.attributes)).toEqual({ tenant: 'gold' });
});

test('annotations become events, with the attributes that OpenTelemetry writes into them', () => {
  const result = spanOf({
    annotations: [
      { timestamp: 1_502_787_600_000_001, value: 'ws' },
      { timestamp: 1_502_787_600_000_002, value: '"retry":{"count":2,"why":"busy"}' },
      { timestamp: 1_502_787_600_000_003, value: '"not json":{' },
    ],
  });
  expect(result?.span.events?.map(({ name, attributes }) => [name, valuesOf(attributes)])).toEqual([
    ['ws', {}],
    ['retry', { count: '2', why: 'busy' }],
    ['"not json":{', {}],
  ]);
});

test('the server side of a shared span is a child of the client side and keeps its own children', () => {
  const common = { traceId: TRACE, timestamp: 10, duration: 5 };
  const [client, server, child, other] = spansOf(
    { ...common, id: 'a', kind: 'CLIENT', localEndpoint: { serviceName: 'front' } },
    { ...common, id: 'a', kind: 'SERVER', shared: true, localEndpoint: { serviceName: 'back' } },
    { ...common, id: 'b', parentId: 'a', localEndpoint: { serviceName: 'back' } },
    { ...common, id: 'c', parentId: 'a', localEndpoint: { serviceName: 'front' } },
  );
  expect(client?.span.spanId).toBe('000000000000000a');
  expect(server?.span.parentSpanId).toBe(client?.span.spanId);
  expect(server?.span.spanId).not.toBe(client?.span.spanId);
  expect(child?.span.parentSpanId).toBe(server?.span.spanId);
  expect(other?.span.parentSpanId).toBe(client?.span.spanId);
});

test('without a duration a message has ended and a request is in progress', () => {
  expect(spanOf({ kind: 'PRODUCER', duration: null })?.span.endTimeUnixNano).toBe('1502787600000000000');
  expect(spanOf({ kind: 'SERVER', duration: null })?.span.endTimeUnixNano).toBeUndefined();
});

test('a span without a time is rejected and its neighbours are read', () => {
  const { data, rejections } = readZipkin(
    JSON.stringify([
      { traceId: TRACE, id: 'a' },
      { traceId: TRACE, id: 'b', timestamp: 1, duration: 1 },
    ]),
  );
  expect(data.resourceSpans).toHaveLength(1);
  expect(rejections).toMatchObject([{ id: '000000000000000a', code: 'MissingStartTime' }]);
});

test.each([
  ['{"traceId":"1"}', 'the body must be a list of spans'],
  ['[{"traceId":"xyz","id":"1"}]', '0.traceId: must be up to 32 hex digits'],
  ['[{"traceId":"1","id":"1","tags":{"n":1}}]', '0.tags.n: '],
  ['[', 'the body is not JSON'],
])('%s is rejected with the position', (text, sentence) => {
  expect(() => readZipkin(text)).toThrow(sentence);
});

test('any text is read or rejected with an OpenrayError', () => {
  const span = fc.record(
    {
      traceId: fc.oneof(fc.constant(TRACE), fc.string()),
      id: fc.oneof(fc.constant('a'), fc.string()),
      kind: fc.constantFrom('CLIENT', 'SERVER', 'OTHER', null),
      timestamp: fc.oneof(fc.nat(), fc.double()),
      duration: fc.oneof(fc.nat(), fc.constant(null)),
      annotations: fc.array(fc.record({ timestamp: fc.nat(), value: fc.string() })),
      tags: fc.dictionary(fc.string(), fc.string()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.array(span).map((spans) => JSON.stringify(spans)),
      ),
      (text) => {
        try {
          readZipkin(text);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(OpenrayError);
        }
      },
    ),
  );
});
