import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { entityId, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

/** Jaeger's own types: exact members, and list members that are never null. */
const tag = z.strictObject({
  key: z.string(),
  type: z.enum(['string', 'bool', 'int64', 'float64', 'binary']),
  value: z.union([z.string(), z.boolean(), z.number()]),
});
const warnings = z.array(z.string()).nullable();
const id = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const jaegerSpan = z.strictObject({
  traceID: id(32),
  spanID: id(16),
  flags: z.int().optional(),
  operationName: z.string(),
  references: z.array(
    z.strictObject({ refType: z.enum(['CHILD_OF', 'FOLLOWS_FROM']), traceID: id(32), spanID: id(16) }),
  ),
  startTime: z.int(),
  duration: z.int().nonnegative(),
  tags: z.array(tag),
  logs: z.array(z.strictObject({ timestamp: z.int(), fields: z.array(tag) })),
  processID: z.string(),
  warnings,
});
const jaegerTrace = z.strictObject({
  traceID: id(32),
  spans: z.array(jaegerSpan).min(1),
  processes: z.record(z.string(), z.strictObject({ serviceName: z.string(), tags: z.array(tag) })),
  warnings,
});
const errors = z
  .array(z.strictObject({ code: z.int().optional(), msg: z.string(), traceID: z.string().optional() }))
  .nullable();
const answerOf = <T extends z.ZodType>(data: T) =>
  z.strictObject({ data, total: z.int(), limit: z.int(), offset: z.int(), errors });
const traces = answerOf(z.array(jaegerTrace));

let server: TestServer;
let traceId: string;
let callId: string;
const xrayTrace = segment({
  name: 'billing',
  http: { request: { method: 'GET', url: 'https://billing.example.com/' }, response: { status: 200 } },
  annotations: { tier: 'gold' },
});

beforeAll(async () => {
  server = await startTestServer();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'service.version': '7' }),
    spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${server.url}/v1/traces` }))],
  });
  const tracer = provider.getTracer('test', '1.0');
  const request = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, attributes: { tenant: 'gold', items: 3 } });
  const context = trace.setSpan(ROOT_CONTEXT, request);
  const call = tracer.startSpan(
    'charge',
    { kind: SpanKind.CLIENT, attributes: { 'peer.service': 'payments' } },
    context,
  );
  call.recordException(new Error('declined'));
  call.end();
  request.end();
  await provider.shutdown();
  traceId = request.spanContext().traceId;
  callId = call.spanContext().spanId;
  const { subsegments, ...document } = {
    ...xrayTrace,
    subsegments: [
      {
        id: entityId(),
        name: 'DynamoDB',
        namespace: 'aws',
        start_time: xrayTrace.start_time,
        end_time: xrayTrace.end_time,
        aws: { operation: 'PutItem', table_name: 'invoices' },
      },
    ],
  };
  await server.xray.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify({ ...document, subsegments })] }),
  );
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}${path}`);
  return { status: answer.status, body: await answer.json() };
}

async function found(query: string): Promise<readonly string[]> {
  const { body } = await ask(`/api/traces?${query}`);
  return traces.parse(body).data.map(({ traceID }) => traceID);
}

test('services, by name', async () => {
  const { body } = await ask('/api/services');
  expect(answerOf(z.array(z.string())).parse(body)).toMatchObject({ data: ['billing', 'shop'], total: 2 });
});

test('operations of a service, by name alone and with their kinds', async () => {
  const names = await ask('/api/services/shop/operations');
  expect(answerOf(z.array(z.string())).parse(names.body).data).toEqual(['GET /cart', 'charge']);
  const operation = z.strictObject({ name: z.string(), spanKind: z.string() });
  const clients = await ask('/api/operations?service=shop&spanKind=client');
  expect(answerOf(z.array(operation)).parse(clients.body).data).toEqual([{ name: 'charge', spanKind: 'client' }]);
});

test('a trace of spans, by both forms of its id', async () => {
  const { body } = await ask(`/api/traces/${traceId}`);
  const [first] = traces.parse(body).data;
  expect(first).toMatchObject({
    traceID: traceId,
    processes: { p1: { serviceName: 'shop', tags: expect.arrayContaining([tagOf('service.version', '7')]) } },
  });
  expect(first?.spans.map(({ operationName }) => operationName)).toEqual(['GET /cart', 'charge']);
  expect(first?.spans[0]?.tags).toEqual(
    expect.arrayContaining([tagOf('span.kind', 'server'), { key: 'items', type: 'int64', value: 3 }]),
  );
  expect(first?.spans[1]).toMatchObject({
    spanID: callId,
    references: [{ refType: 'CHILD_OF', traceID: traceId, spanID: first?.spans[0]?.spanID }],
    logs: [{ fields: expect.arrayContaining([tagOf('event', 'exception'), tagOf('exception.message', 'declined')]) }],
  });
  const spelled = await ask(`/api/traces/1-${traceId.slice(0, 8)}-${traceId.slice(8)}`);
  expect(spelled.body).toEqual(body);
});

const tagOf = (key: string, value: string) => ({ key, type: 'string', value });

test("a trace of X-Ray's segments, as spans", async () => {
  const { body } = await ask(`/api/traces/${xrayTrace.trace_id}`);
  const [first] = traces.parse(body).data;
  expect(first?.spans.map(({ operationName }) => operationName)).toEqual(['billing', 'DynamoDB']);
  expect(first?.spans[0]?.tags).toEqual(
    expect.arrayContaining([tagOf('tier', 'gold'), { key: 'http.response.status_code', type: 'int64', value: 200 }]),
  );
});

test.each([
  ['service=shop', true],
  ['service=shop&operation=charge', true],
  ['service=shop&operation=other', false],
  ['service=payments', false],
  ['service=shop&tags=%7B%22tenant%22%3A%22gold%22%7D', true],
  ['service=shop&tag=tenant:silver', false],
  ['service=shop&tag=items:3&operation=charge', false],
  ['service=shop&tag=service.version:7', true],
  ['service=shop&tag=exception.message:declined', true],
  ['service=shop&minDuration=1h', false],
  ['service=shop&maxDuration=1h', true],
  ['service=shop&end=1000&start=1', false],
  ['service=shop&lookback=1h&limit=1', true],
])('searching %s finds the trace: %s', async (query, isFound) => {
  expect(await found(query)).toEqual(isFound ? [traceId] : []);
});

test('several traces by id, with an error for an unknown one', async () => {
  const missing = 'f'.repeat(32);
  const { body } = await ask(`/api/traces?traceID=${traceId}&traceID=${missing}`);
  const answer = traces.parse(body);
  expect(answer.data.map(({ traceID }) => traceID)).toEqual([traceId]);
  expect(answer.errors).toEqual([{ msg: 'trace not found', traceID: missing }]);
});

test('dependencies between services, with call counts', async () => {
  const { body } = await ask(`/api/dependencies?endTs=${Date.now()}&lookback=3600000`);
  const dependency = z.strictObject({ parent: z.string(), child: z.string(), callCount: z.int() });
  expect(answerOf(z.array(dependency)).parse(body).data).toEqual([
    { parent: 'billing', child: 'invoices', callCount: 1 },
    { parent: 'shop', child: 'payments', callCount: 1 },
  ]);
});

test.each([
  [`/api/traces/${'e'.repeat(32)}`, 404, 'trace not found'],
  ['/api/traces/xyz', 400, 'xyz is not a trace id'],
  ['/api/traces', 400, "parameter 'service' is required"],
  ['/api/traces?service=a&limit=0', 400, 'limit must be greater than 0'],
  ['/api/traces?service=a&minDuration=x', 400, "parameter 'minDuration' is not a duration"],
  ['/api/traces?service=a&minDuration=2s&maxDuration=1s', 400, 'maxDuration must be greater'],
  ['/api/traces?service=a&start=5&end=1', 400, 'start time must be before end time'],
  ['/api/operations', 400, "parameter 'service' is required"],
  ['/api/dependencies?endTs=x', 400, "parameter 'endTs' is not a whole number"],
])("%s fails with %i in Jaeger's form", async (path, status, sentence) => {
  const { status: got, body } = await ask(path);
  expect(got).toBe(status);
  const failure = answerOf(z.null()).parse(body);
  expect(failure.errors).toEqual([{ code: status, msg: expect.stringContaining(sentence) }]);
});

/** Requests of Grafana's data source and of Jaeger's pages, in their spelling. */
test.each([
  [
    'Grafana, search',
    () => '/api/traces?limit=20&operation=GET+%2Fcart&service=shop&tags=%7B%22tenant%22%3A%22gold%22%7D',
  ],
  [
    'Grafana, a trace of the time range',
    () => `/api/traces/${traceId}?end=${Date.now()}&start=${Date.now() - 3_600_000}`,
  ],
  [
    'pages, search',
    () =>
      `/api/traces?end=${Date.now()}000&limit=20&lookback=1h&maxDuration&minDuration&service=shop&start=${Date.now() - 3_600_000}000`,
  ],
  ['pages, comparing', () => `/api/traces?raw=true&traceID=${traceId}`],
])('%s', async (_client, path) => {
  const { status, body } = await ask(path());
  expect([status, traces.parse(body).data.map(({ traceID }) => traceID)]).toEqual([200, [traceId]]);
});

test('operations of a service whose name needs escaping', async () => {
  const name = 'shop: a/b %2F&#=+@';
  await server.xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(segment({ name }))] }));
  const known = await ask(`/api/services/${encodeURIComponent(name)}/operations`);
  expect(known.body).toMatchObject({ data: [name] });
  const unknown = await ask(`/api/services/${encodeURIComponent('"\'')}/operations`);
  expect(unknown).toMatchObject({ status: 200, body: { data: [] } });
});

const summary = z.strictObject({
  traceId: id(32),
  rootServiceName: z.string(),
  rootOperationName: z.string(),
  minStartTimeUnixNano: z.string().regex(/^\d+$/),
  maxEndTimeUnixNano: z.string().regex(/^\d+$/),
  spanCount: z.int(),
  errorSpanCount: z.int(),
  orphanSpanCount: z.int(),
  services: z.array(z.strictObject({ name: z.string(), spanCount: z.int(), errorSpanCount: z.int() })),
});

test('version 3 of the API: services, operations, a list, a trace', async () => {
  expect((await ask('/api/v3/services')).body).toMatchObject({ services: expect.arrayContaining(['billing', 'shop']) });
  expect((await ask('/api/v3/operations?service=shop')).body).toEqual({
    operations: [
      { name: 'GET /cart', spanKind: 'server' },
      { name: 'charge', spanKind: 'client' },
    ],
  });
  const query = new URLSearchParams({
    'query.service_name': 'shop',
    'query.span_name': 'charge',
    'query.start_time_min': new Date(Date.now() - 3_600_000).toISOString(),
    'query.start_time_max': new Date().toISOString(),
    'query.num_traces': '20',
    'query.duration_max': '1h',
  });
  const listed = z.strictObject({ summaries: z.array(summary) });
  const { summaries } = listed.parse((await ask(`/api/v3/trace-summaries?${query}`)).body);
  expect(summaries).toMatchObject([{ traceId, rootServiceName: 'shop', rootOperationName: 'GET /cart', spanCount: 2 }]);
  query.set('query.attributes', '{"tenant":"silver"}');
  expect((await ask(`/api/v3/trace-summaries?${query}`)).body).toEqual({ summaries: [] });

  const own = await fetch(`${server.url}/v1/traces/${traceId}`);
  expect((await ask(`/api/v3/traces/${traceId}`)).body).toEqual({ result: await own.json() });
});

test.each([
  [`/api/v3/traces/${'e'.repeat(32)}`, 404, 'trace not found'],
  ['/api/v3/trace-summaries', 400, "parameter 'query.service_name' is required"],
  ['/api/v3/trace-summaries?query.service_name=a&query.start_time_min=x', 400, 'is not a time such as'],
])('%s fails with %i in the form of a gRPC gateway', async (path, httpCode, sentence) => {
  const { status, body } = await ask(path);
  expect([status, body]).toEqual([httpCode, { error: { httpCode, message: expect.stringContaining(sentence) } }]);
});
