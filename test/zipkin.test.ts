import { gzipSync } from 'node:zlib';
import { BatchGetTracesCommand } from '@aws-sdk/client-xray';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function segmentsOf(traceId: string): Promise<readonly Record<string, unknown>[]> {
  const id = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
  const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
  return (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? '{}'));
}

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/api/v2/spans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });

test("OpenTelemetry's Zipkin exporter: a request and its failed call", async () => {
  const exporter = new ZipkinExporter({ url: `${server.url}/api/v2/spans` });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('test');
  const request = tracer.startSpan('GET /cart', {
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': 'GET' },
  });
  const context = trace.setSpan(ROOT_CONTEXT, request);
  const call = tracer.startSpan(
    'charge',
    { kind: SpanKind.CLIENT, attributes: { 'peer.service': 'payments' } },
    context,
  );
  call.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' });
  call.end();
  request.end();
  await provider.shutdown();

  const documents = await segmentsOf(request.spanContext().traceId);
  const segment = documents.find(({ inferred }) => inferred !== true);
  expect(segment).toMatchObject({
    name: 'shop',
    id: request.spanContext().spanId,
    http: { request: { method: 'GET' } },
    subsegments: [
      {
        name: 'payments',
        namespace: 'remote',
        fault: true,
        cause: { exceptions: [{ message: 'declined' }] },
      },
    ],
  });
});

const traceId = '5af7183fb1d4cf5f4e441824ec2b6a44';
const aSpan = { traceId, id: '352bff9a74ca9ad2', timestamp: Date.now() * 1000, duration: 1_431, kind: 'SERVER' };

test('a gzipped list is stored and counted; the response is 202 without a body', async () => {
  const answer = await post(
    new Uint8Array(gzipSync(JSON.stringify([{ ...aSpan, localEndpoint: { serviceName: 'zipped' } }]))),
    {
      'content-encoding': 'gzip',
    },
  );
  expect([answer.status, await answer.text()]).toEqual([202, '']);
  expect(await segmentsOf(traceId)).toMatchObject([{ name: 'zipped' }]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/openray_documents_total\{receiver="zipkin",result="stored"\} [1-9]/);
});

test.each([
  ['not JSON', '[', {}, 400],
  ['not a list', '{}', {}, 400],
  ['protobuf', 'x', { 'content-type': 'application/x-protobuf' }, 415],
  ['another encoding', '[]', { 'content-encoding': 'compress' }, 415],
  ['not gzip', '[]', { 'content-encoding': 'gzip' }, 400],
])('%s is refused', async (_what, body, headers, status) => {
  expect((await post(body, headers)).status).toBe(status);
});

test('an empty list is accepted', async () => {
  expect((await post('[]')).status).toBe(202);
});
