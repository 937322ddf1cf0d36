import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchGetTracesCommand, PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../scripts/free-port.ts';
import { runOpenray, startOpenray } from '../scripts/openray.ts';
import { OTLP_PROTOCOLS } from '../server/src/forward/otlp-endpoint.ts';
import { entityId, segment } from './support/documents.ts';
import { newXRayClient, removeFolder, serverForThisTest, type TestServer, temporaryFolder } from './support/server.ts';
import { CREDENTIALS, expectedAuthorization } from './support/sigv4.ts';
import { waitFor } from './support/wait.ts';

type Asked = Pick<TestServer, 'url' | 'xray'>;

async function metric({ url }: { readonly url: string }, line: RegExp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(line.exec(text)?.[1] ?? 0);
}

const forwarded = (server: Asked, target: string, result: string) =>
  metric(server, new RegExp(`openray_forwarded_documents_total\\{target="${target}",result="${result}"\\} (\\d+)`));

async function documentsOf({ xray }: Asked, id: string): Promise<readonly unknown[] | undefined> {
  const { Traces } = await xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
  const segments = Traces?.[0]?.Segments ?? [];
  return segments.length === 0 ? undefined : segments.map(({ Document }) => JSON.parse(Document ?? ''));
}

const spansOf = async ({ url }: Asked, id: string): Promise<unknown> => (await fetch(`${url}/api/traces/${id}`)).json();

async function put({ xray }: Asked, ...documents: readonly object[]): Promise<void> {
  const texts = documents.map((document) => JSON.stringify(document));
  await xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: texts }));
}

/** A request with a failed call in it, by the real exporter; its trace id. */
async function sendSpans({ url }: Asked): Promise<string> {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'host.id': 'laptop' }),
    spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }))],
  });
  const tracer = provider.getTracer('test', '1.0');
  const link = { context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 } };
  const request = tracer.startSpan('GET /', { kind: SpanKind.SERVER, links: [link], attributes: { list: ['a', 'b'] } });
  const context = trace.setSpan(ROOT_CONTEXT, request);
  const call = tracer.startSpan('pay', { kind: SpanKind.CLIENT, attributes: { 'peer.service': 'payments' } }, context);
  call.recordException(new TypeError('declined'));
  call.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' });
  call.end();
  request.end();
  await provider.shutdown();
  return request.spanContext().traceId;
}

const xrayForm = (id: string) => `1-${id.slice(0, 8)}-${id.slice(8)}`;

test.each(OTLP_PROTOCOLS)('spans and segments are forwarded to a second server over %s unchanged', async (protocol) => {
  const second = await serverForThisTest();
  const target = protocol === 'grpc' ? String(second.otlpGrpcUrl) : second.url;
  const first = await serverForThisTest(['--forward-otlp', target, '--forward-otlp-protocol', protocol]);
  const document = segment({
    name: 'billing',
    annotations: { tier: 'gold', n: 7 },
    metadata: { app: { list: [1, 2.5, null], deep: { x: 'y' } } },
    http: {
      request: { method: 'GET', url: 'https://a.example.com/b?c=d' },
      response: { status: 503, content_length: -1 },
    },
    fault: true,
    unknown_member: { kept: true },
  });
  const sub = {
    id: entityId(),
    name: 'S3',
    namespace: 'aws',
    start_time: document.start_time,
    end_time: document.end_time,
  };
  const sent = { ...document, subsegments: [{ ...sub, aws: { operation: 'GetObject', bucket_name: 'b' } }] };
  const { end_time, ...started } = sent;
  await put(first, { ...started, subsegments: [], in_progress: true });
  await put(first, sent);
  const traceId = await sendSpans(first);

  for (const id of [document.trace_id, xrayForm(traceId)]) {
    const expected = await documentsOf(first, id);
    expect(expected).toBeDefined();
    await expect.poll(() => documentsOf(second, id)).toEqual(expected);
  }
  await expect.poll(() => spansOf(second, traceId)).toEqual(await spansOf(first, traceId));
  await expect.poll(() => forwarded(first, 'otlp', 'sent')).toBe(3);
  expect(await metric(first, /openray_forwarded_documents_received_total\{target="otlp"\} (\d+)/)).toBe(3);
});

type Recorded = {
  readonly path: string | undefined;
  readonly authorization: string;
  readonly expected: string;
  readonly documents: readonly string[];
};

/** An endpoint in place of AWS: records each request with the signature that the SDK's signer makes for it. */
async function anXRayEndpoint(region: string): Promise<{ url: string; requests: Recorded[] }> {
  const requests: Recorded[] = [];
  const server = createServer(async (request: IncomingMessage, reply) => {
    const body = Buffer.concat(await request.toArray());
    requests.push({
      path: request.url,
      authorization: String(request.headers.authorization),
      expected: await expectedAuthorization(request, body, { region, service: 'xray' }),
      documents: (JSON.parse(body.toString()) as { TraceSegmentDocuments: string[] }).TraceSegmentDocuments,
    });
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{"UnprocessedTraceSegments":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function startWith(flags: readonly string[], env: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  const server = await startOpenray(['--port', '0', '--data-dir', folder, ...flags], { env });
  const xray = newXRayClient(server.url);
  onTestFinished(async () => {
    xray.destroy();
    await server.stop();
    await removeFolder(folder);
  });
  return { ...server, xray };
}

const AWS_VARIABLES = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
};

test("segments and spans are forwarded to X-Ray, fifty a call, with the signature of AWS's own signer", async () => {
  const aws = await anXRayEndpoint('eu-west-1');
  const first = await startWith(['--forward-xray', aws.url, '--region', 'eu-west-1'], AWS_VARIABLES);
  const documents = Array.from({ length: 120 }, (_, index) => segment({ name: `service ${index}` }));
  for (let at = 0; at < documents.length; at += 40) await put(first, ...documents.slice(at, at + 40));
  const traceId = await sendSpans(first);
  await expect.poll(() => forwarded(first, 'xray', 'sent')).toBe(122);

  for (const { path, authorization, expected, documents: texts } of aws.requests) {
    expect(path).toBe('/TraceSegments');
    expect(authorization).toBe(expected);
    expect(texts.length).toBeLessThanOrEqual(50);
  }
  const arrived = aws.requests.flatMap(({ documents: texts }) => texts);
  expect(new Set(arrived)).toEqual(
    new Set([
      ...documents.map((document) => JSON.stringify(document)),
      ...arrived.filter((text) => text.includes(xrayForm(traceId))),
    ]),
  );
  expect(arrived.map((text) => JSON.parse(text)).filter(({ trace_id }) => trace_id === xrayForm(traceId))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'shop', links: [expect.objectContaining({ id: '2'.repeat(16) })] }),
      expect.objectContaining({ name: 'payments', type: 'subsegment', namespace: 'remote', fault: true }),
    ]),
  );
});

test('an unreachable backend does not affect ingest, and gets the queued documents when it is reachable', async () => {
  const port = await freePort();
  const first = await serverForThisTest(['--forward-otlp', `http://127.0.0.1:${port}`]);
  const document = segment({ name: 'patient' });
  await put(first, document);
  const retries = () => metric(first, /openray_forward_retries_total\{target="otlp"\} (\d+)/);
  await expect.poll(retries).toBeGreaterThan(0);
  expect(await forwarded(first, 'otlp', 'sent')).toBe(0);
  expect(await metric(first, /openray_forward_queue_bytes\{target="otlp"\} (\d+)/)).toBeGreaterThan(0);

  const folder = await temporaryFolder();
  const second = await startOpenray([
    '--port',
    String(port),
    '--otlp-http-port',
    '0',
    '--otlp-grpc-port',
    '0',
    '--data-dir',
    folder,
  ]);
  const xray = newXRayClient(second.url);
  onTestFinished(async () => {
    xray.destroy();
    await second.stop();
    await removeFolder(folder);
  });
  await waitFor('the segment', () => documentsOf({ url: second.url, xray }, document.trace_id));
  await expect.poll(() => forwarded(first, 'otlp', 'sent')).toBe(1);
});

test('a backend that rejects documents is logged, without secrets', async () => {
  const refusing = createServer((_request, reply) => void reply.writeHead(403).end('no'));
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void refusing.close());
  const { port } = refusing.address() as AddressInfo;
  const first = await startWith(
    ['--forward-otlp', `http://me:s3cr3t@127.0.0.1:${port}`, '--forward-otlp-headers', 'x-key=t0ps3cr3t'],
    {},
  );
  await put(first, segment());
  await expect.poll(() => forwarded(first, 'otlp', 'rejected')).toBe(1);
  await expect.poll(first.output).toContain('backend rejected documents');
  expect(first.output()).not.toContain('s3cr3t');
});

test.each(['--port', '--otlp-grpc-port'])('a server does not forward to itself, %s', async (port) => {
  const target = ['--forward-otlp', 'http://localhost:2999'];
  const result = await runOpenray(['serve', port, '2999', '--data-dir', '/nonexistent', ...target]);
  expect([result.exitCode, result.stderr]).toEqual([78, expect.stringContaining('cannot forward to itself')]);
});
