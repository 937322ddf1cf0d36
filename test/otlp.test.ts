import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { BatchGetTracesCommand, GetServiceGraphCommand, GetTraceSummariesCommand } from '@aws-sdk/client-xray';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TracesData } from '../server/src/model/otlp-messages.ts';
import { encode } from '../server/src/model/testing/otlp-protocol.ts';
import { aroundNow, entityId } from './support/documents.ts';
import { otelService, type Transport, xrayTraceId } from './support/otel.ts';
import { removeFolder, serverForThisTest, startTestServer, type TestServer } from './support/server.ts';

type Document = {
  readonly id: string;
  readonly name: string;
  readonly parent_id?: string;
  readonly [member: string]: unknown;
  readonly subsegments?: readonly Document[];
};

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(['--otlp-max-bytes', String(8 * 1024 * 1024)]);
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function documentsOf(id: string): Promise<readonly Document[]> {
  const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
  return (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? ''));
}

const w3cId = () => entityId() + entityId();
const xrayId = (id: string) => `1-${id.slice(0, 8)}-${id.slice(8)}`;
const nowNanos = (offsetMs = 0) => `${Date.now() + offsetMs}000000`;

/** An export request with one finished span of the service `shop`. */
function requestOf(members: object = {}): TracesData {
  const span = {
    traceId: w3cId(),
    spanId: entityId(),
    name: 'work',
    kind: 2,
    startTimeUnixNano: nowNanos(-100),
    endTimeUnixNano: nowNanos(),
    ...members,
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'test' }, spans: [span] }] }] };
}

function post(
  body: Buffer | string,
  headers: Readonly<Record<string, string>>,
  path = '/v1/traces',
): Promise<Response> {
  return fetch(`${server.otlpHttpUrl}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers,
  });
}

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const JSON_TYPE = { 'content-type': 'application/json' };

describe("OpenTelemetry's SDK", () => {
  test.each<Transport>(['http/protobuf', 'http/json', 'grpc'])('sends over %s', async (transport) => {
    const service = otelService('shop', server, transport);
    const request = service.tracer.startSpan('GET /cart', {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': 'GET', 'http.response.status_code': 502, 'url.path': '/cart', beta: true },
    });
    const inside = trace.setSpan(ROOT_CONTEXT, request);
    const call = service.tracer.startSpan(
      'DynamoDB.GetItem',
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'rpc.system': 'aws-api',
          'rpc.service': 'DynamoDB',
          'rpc.method': 'GetItem',
          'aws.dynamodb.table_names': ['carts'],
        },
      },
      inside,
    );
    call.recordException(new TypeError('no such cart'));
    call.setStatus({ code: SpanStatusCode.ERROR });
    call.end();
    request.end();
    await service.flush();
    await service.stop();

    const id = xrayTraceId(inside);
    const [segment, inferred] = await documentsOf(id);
    expect(segment).toMatchObject({
      name: 'shop',
      fault: true,
      http: { request: { method: 'GET', url: '/cart' }, response: { status: 502 } },
      aws: { xray: { sdk: 'opentelemetry for nodejs' } },
      metadata: { default: { beta: true, 'otel.resource.service.name': 'shop' } },
      subsegments: [
        {
          name: 'DynamoDB',
          namespace: 'aws',
          fault: true,
          aws: { operation: 'GetItem', table_name: 'carts' },
          cause: { exceptions: [{ type: 'TypeError', message: 'no such cart', stack: expect.any(Array) }] },
        },
      ],
    });
    expect(inferred).toMatchObject({ name: 'DynamoDB', origin: 'AWS::DynamoDB::Table', inferred: true });

    const whole = (await (await fetch(`${server.url}/v1/traces/${id}`)).json()) as TracesData;
    const scopes = whole.resourceSpans?.flatMap(({ scopeSpans }) => scopeSpans ?? []) ?? [];
    const spans = scopes.flatMap((scope) => scope.spans ?? []);
    // Both spans may have the same start time, so that their order is undefined.
    expect(spans.sort((a, b) => (a.kind ?? 0) - (b.kind ?? 0))).toMatchObject([
      { name: 'GET /cart', kind: 2, attributes: expect.arrayContaining([{ key: 'beta', value: { boolValue: true } }]) },
      { name: 'DynamoDB.GetItem', kind: 3, events: [{ name: 'exception' }], status: { code: 2 } },
    ]);
  });

  test("joins traces through X-Ray's header in both directions", async () => {
    const service = otelService('orders', server);
    const span = service.tracer.startSpan('call', { kind: SpanKind.SERVER });
    const inside = trace.setSpan(ROOT_CONTEXT, span);
    const carrier: Record<string, string> = {};
    service.propagator.inject(inside, carrier, { set: (to, key, value) => Object.assign(to, { [key]: value }) });
    const [, root = '', parent = ''] =
      /^Root=([^;]+);Parent=([^;]+);Sampled=1/.exec(carrier['x-amzn-trace-id'] ?? '') ?? [];
    span.end();
    await service.flush();
    await service.stop();
    expect(root).toBe(xrayTraceId(inside));

    const start = Date.now() / 1000;
    const called = {
      name: 'stock',
      id: entityId(),
      trace_id: root,
      parent_id: parent,
      start_time: start,
      end_time: start,
    };
    await fetch(`${server.url}/TraceSegments`, {
      method: 'POST',
      body: JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(called)] }),
    });
    const below = requestOf({ traceId: root.replaceAll('-', '').slice(1), parentSpanId: called.id, flags: 0x301 });
    expect((await post(JSON.stringify(below), JSON_TYPE)).status).toBe(200);

    expect((await documentsOf(root)).map(({ name }) => name).sort()).toEqual(['orders', 'shop', 'stock']);
    const { Services = [] } = await server.xray.send(new GetServiceGraphCommand(aroundNow()));
    const edges = Services.flatMap(({ Name, Edges = [] }) =>
      Edges.map(({ ReferenceId }) => `${Name} → ${Services.find((one) => one.ReferenceId === ReferenceId)?.Name}`),
    );
    expect(edges).toEqual(expect.arrayContaining(['orders → stock', 'stock → shop']));
  });
});

test('filters and lists treat spans like segments', async () => {
  const traceId = w3cId();
  const attributes = [
    { key: 'tenant', value: { stringValue: `t-${traceId}` } },
    { key: 'aws.xray.annotations', value: { arrayValue: { values: [{ stringValue: 'tenant' }] } } },
    { key: 'http.response.status_code', value: { intValue: '500' } },
    { key: 'url.full', value: { stringValue: 'https://shop.example/cart' } },
  ];
  await post(encode('TracesData', requestOf({ traceId, attributes })), PROTOBUF);
  for (const filter of [
    `annotation.tenant = "t-${traceId}"`,
    `annotation.tenant = "t-${traceId}" AND fault AND http.url ENDSWITH "/cart" AND service("shop") { fault }`,
  ]) {
    const { TraceSummaries } = await server.xray.send(
      new GetTraceSummariesCommand({ ...aroundNow(), FilterExpression: filter }),
    );
    expect(TraceSummaries?.map(({ Id }) => Id)).toEqual([xrayId(traceId)]);
  }
});

test('a span that is sent several times is stored once', async () => {
  const request = requestOf();
  const id = request.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.traceId ?? '';
  await Promise.all([1, 2, 3].map(() => post(encode('TracesData', request), PROTOBUF)));
  await post(JSON.stringify(request), JSON_TYPE);
  expect(await documentsOf(xrayId(id))).toHaveLength(1);
});

/**
 * Sends an unsampled and then a sampled span in the datagrams of AWS's distribution; returns a count of stored traces.
 */
async function sendDatagrams({ daemonAddress, xray }: TestServer) {
  const request = requestOf();
  const unsampled = requestOf();
  const datagram = (mark: string, data: TracesData) =>
    `{"format":"json","version":1}\n${mark}${encode('TracesData', data).toString('base64')}`;
  const idOf = (data: TracesData) => xrayId(data.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.traceId ?? '');
  const [host, port] = daemonAddress.split(':');
  const socket = createSocket('udp4');
  for (const text of [datagram('T1U', unsampled), datagram('M1', {}), datagram('T1S', request)]) {
    await new Promise((resolve) => socket.send(text, Number(port), host, resolve));
  }
  socket.close();
  const found = async (data: TracesData) => {
    const { Traces = [] } = await xray.send(new BatchGetTracesCommand({ TraceIds: [idOf(data)] }));
    return Traces.length;
  };
  return async () => ({ sampled: await found(request), unsampled: await found(unsampled) });
}

test("sampled spans of AWS's distribution, sent to the daemon's port, are stored; unsampled ones are not", async () => {
  await expect.poll(await sendDatagrams(server)).toEqual({ sampled: 1, unsampled: 0 });
});

test('unsampled spans are stored with --udp-unsampled', async () => {
  const other = await serverForThisTest(['--udp-unsampled', 'true']);
  await expect.poll(await sendDatagrams(other)).toEqual({ sampled: 1, unsampled: 1 });
});

test('an exception in a log record is added to its span', async () => {
  const request = requestOf({ status: { code: 2 } });
  const span = request.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0];
  const logRecords = [
    {
      timeUnixNano: nowNanos(-50),
      traceId: span?.traceId,
      spanId: span?.spanId,
      attributes: [
        { key: 'exception.type', value: { stringValue: 'OutOfStock' } },
        { key: 'exception.message', value: { stringValue: 'none left' } },
      ],
    },
    { timeUnixNano: nowNanos(), body: { stringValue: 'just a line' } },
  ];
  const logs = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] };
  const first = await post(JSON.stringify(logs), JSON_TYPE, '/v1/logs');
  expect(await first.json()).toEqual({});
  const second = await post(encode('LogsData', logs), PROTOBUF, '/v1/logs');
  expect((await second.arrayBuffer()).byteLength).toBe(0);
  await post(encode('TracesData', request), PROTOBUF);
  const [document] = await documentsOf(xrayId(span?.traceId ?? ''));
  expect(document?.cause).toMatchObject({ exceptions: [{ type: 'OutOfStock', message: 'none left' }] });
});

test('a message links its consumer to its producer, in the service graph and in both traces', async () => {
  const [producerTrace, consumerTrace] = [w3cId(), w3cId()];
  const [root, send, consume] = [entityId(), entityId(), entityId()];
  const shop = requestOf({ traceId: producerTrace, spanId: root });
  const queue = [
    { key: 'messaging.system', value: { stringValue: 'kafka' } },
    { key: 'messaging.destination.name', value: { stringValue: 'orders-topic' } },
  ];
  const message = requestOf({
    ...{ traceId: producerTrace, spanId: send, parentSpanId: root, flags: 0x101, kind: 4, attributes: queue },
    startTimeUnixNano: nowNanos(-90),
  });
  const links = [{ traceId: producerTrace, spanId: send }];
  const consumed = requestOf({ traceId: consumerTrace, spanId: consume, kind: 5, links });
  for (const request of [shop, message, consumed]) await post(encode('TracesData', request), PROTOBUF);

  const [consumer] = await documentsOf(xrayId(consumerTrace));
  expect(consumer?.links).toMatchObject([{ trace_id: xrayId(producerTrace), id: send }]);
  const [producer] = await documentsOf(xrayId(producerTrace));
  expect(producer?.subsegments?.[0]?.links).toEqual([
    {
      trace_id: xrayId(consumerTrace),
      id: consume,
      attributes: { 'aws.xray.reserved.reference_type': 'child' },
    },
  ]);
  const { Services = [] } = await server.xray.send(new GetServiceGraphCommand(aroundNow()));
  const topic = Services.find(({ Name }) => Name === 'orders-topic');
  const edge = topic?.Edges?.find(({ EdgeType }) => EdgeType === 'link');
  expect(Services.find(({ ReferenceId }) => ReferenceId === edge?.ReferenceId)?.Name).toBe('shop');
  expect(edge?.ReceivedEventAgeHistogram).toMatchObject([{ Count: 1 }]);
});

/** CPU seconds of all threads, which do not depend on other work of the machine; 0 without /proc. */
async function processorSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user = 0, system = 0] = text.split(') ')[1]?.split(' ').slice(11, 13).map(Number) ?? [];
  return (user + system) / 100;
}

/** Highest resident memory of the process so far; 0 without /proc. */
async function peakMemoryBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024;
}

describe('an invalid request is refused', () => {
  const whole = encode('TracesData', requestOf());

  test.each<[string, number, () => Promise<Response>]>([
    ['bytes that are cut off', 400, () => post(whole.subarray(0, -3), PROTOBUF)],
    ['no JSON', 400, () => post('{"resourceSpans":', JSON_TYPE)],
    ['JSON of another shape', 400, () => post('{"resourceSpans":7}', JSON_TYPE)],
    ['another content type', 415, () => post(whole, { 'content-type': 'text/plain' })],
    ['another encoding', 415, () => post(whole, { ...PROTOBUF, 'content-encoding': 'snappy' })],
    ['a body that is not gzip', 400, () => post(whole, { ...PROTOBUF, 'content-encoding': 'gzip' })],
    ['a body that is too large', 413, () => post(Buffer.alloc(100_000_000), PROTOBUF)],
    [
      'a body that is too large when decompressed',
      413,
      () => post(gzipSync(Buffer.alloc(100_000_000)), { ...PROTOBUF, 'content-encoding': 'gzip' }),
    ],
    ['metrics that are no message', 400, () => post(Buffer.from([10, 9]), PROTOBUF, '/v1/metrics')],
  ])('%s: %d', async (_what, code, send) => {
    const response = await send();
    expect(response.status).toBe(code);
    expect(response.headers.get('retry-after')).toBeNull();
  });

  /** A field of protobuf with its length. */
  const field = (number: number, ...parts: readonly Buffer[]) => {
    const content = Buffer.concat(parts);
    const length: number[] = [];
    for (let rest = content.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), content]);
  };
  const many = (count: number, part: Buffer) => Buffer.alloc(count * part.length, part);
  const emptyLists = many(1_000_000, Buffer.from([0x2a, 0]));
  const aList = Buffer.concat([field(5, many(500_000, field(1))), emptyLists]);

  // Small requests that take much memory or time when decoded without bounds. Valid requests are accepted.
  test.each<[string, readonly number[], Buffer | string]>([
    ['a resource of a million attributes', [200], field(1, field(1, many(1_000_000, field(1))))],
    ['a million references of one resource', [200], field(1, field(1, many(1_000_000, field(3))))],
    ['a long list that goes on a million times', [200], field(1, field(2, field(2, field(9, field(2, aList)))))],
    ['four million empty messages', [200], many(4_000_000, field(1))],
    ['four million spans in one', [200], field(1, field(2, many(3_999_000, field(2))))],
    ['groups in groups', [400], Buffer.alloc(7_000_000, 0x0b)],
    ['lists in lists, as protobuf', [200, 400], nested(100_000)],
    ['lists in lists, as JSON', [413], `{"resourceSpans":${'['.repeat(7_000_000)}`],
    ['lists in lists that end', [400], `{"resourceSpans":${'['.repeat(3_000_000)}${']'.repeat(3_000_000)}}`],
    ['a key a million times', [200], `{${'"resourceSpans":[],'.repeat(300_000)}"resourceSpans":[]}`],
  ])('%s: %j, in bounded time and memory', async (_what, codes, body) => {
    const before = await processorSeconds(server.process.pid as number);
    const response = await post(body, typeof body === 'string' ? JSON_TYPE : PROTOBUF);
    await response.arrayBuffer();
    expect(codes).toContain(response.status);
    expect((await processorSeconds(server.process.pid as number)) - before).toBeLessThan(20);
    expect(await peakMemoryBytes(server.process.pid as number)).toBeLessThan(2.5 * 1024 ** 3);
  });

  /** An attribute of nested lists. */
  function nested(depth: number): Buffer {
    let value: Buffer = Buffer.alloc(0);
    // Lengths grow with depth; 2,000 levels are more than any decoder accepts.
    for (let level = 0; level < Math.min(depth, 2_000); level++) value = field(5, field(1, value));
    return field(1, field(2, field(2, field(9, field(2, value)))));
  }

  test('with a google.rpc.Status in the encoding of the request', async () => {
    const binary = await post(whole.subarray(0, -3), PROTOBUF);
    expect(binary.headers.get('content-type')).toBe('application/x-protobuf');
    expect(Buffer.from(await binary.arrayBuffer()).subarray(0, 3)).toEqual(Buffer.from([8, 3, 18]));
    const json = await post('{', JSON_TYPE);
    expect(await json.json()).toEqual({ code: 3, message: expect.stringContaining('not JSON') });
  });

  test('invalid spans are rejected, and the other spans of the request are stored', async () => {
    const good = requestOf();
    const scopeSpans = good.resourceSpans?.[0]?.scopeSpans?.[0];
    const [span] = scopeSpans?.spans ?? [];
    const deep = JSON.parse(`${'{"arrayValue":{"values":['.repeat(60)}{}${']}}'.repeat(60)}`);
    const spans = [
      { ...span, traceId: '0'.repeat(32) },
      { ...span, spanId: 'abc' },
      { ...span, attributes: [{ key: 'deep', value: deep }] },
      span,
    ];
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    const response = await post(body, JSON_TYPE);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      partialSuccess: { rejectedSpans: '3', errorMessage: expect.stringMatching(/trace id.*span id.*deeper/) },
    });
    expect(await documentsOf(xrayId(span?.traceId ?? ''))).toHaveLength(1);
  });

  test('an empty request is accepted, and the server is healthy after all invalid requests', async () => {
    const empty = await post(Buffer.alloc(0), PROTOBUF);
    expect([empty.status, (await empty.arrayBuffer()).byteLength]).toEqual([200, 0]);
    expect(await (await post('{}', JSON_TYPE)).json()).toEqual({});
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });
});

describe('gRPC', () => {
  const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };

  function call(url: string | undefined, path: string, message: Buffer, deadlineMs = 120_000) {
    const client = new Client((url ?? '').replace('http://', ''), credentials.createInsecure());
    return new Promise<Buffer>((resolve, reject) => {
      const options = { deadline: Date.now() + deadlineMs };
      client.makeUnaryRequest(
        path,
        bytes.serialize,
        bytes.deserialize,
        message,
        new Metadata(),
        options,
        (error, answer) => {
          client.close();
          if (error) reject(error);
          else resolve(answer ?? Buffer.alloc(0));
        },
      );
    });
  }
  const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

  test('answers health checks', async () => {
    expect(await call(server.otlpGrpcUrl, '/grpc.health.v1.Health/Check', Buffer.alloc(0))).toEqual(
      Buffer.from([8, 1]),
    );
  });

  test('accepts, counts and drops metrics, as HTTP does, with one line in the log', async () => {
    const own = await serverForThisTest();
    const metrics = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{}, {}] } }] }] }] };
    const [point, wrap] = [Buffer.from([10, 0]), (tag: number, of: Buffer) => Buffer.from([tag, of.length, ...of])];
    const message = wrap(10, wrap(18, wrap(18, wrap(58, point))));
    const service = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
    expect(await call(own.otlpGrpcUrl, service, message)).toEqual(Buffer.alloc(0));
    for (const [type, body, answer] of [
      ['application/json', JSON.stringify(metrics), '{}'],
      ['application/x-protobuf', new Uint8Array(message), ''],
    ] as const) {
      const init = { method: 'POST', headers: { 'content-type': type }, body };
      const response = await fetch(`${own.otlpHttpUrl}/v1/metrics`, init);
      expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
        200,
        expect.stringContaining(type),
        answer,
      ]);
    }
    expect(await (await fetch(`${own.url}/metrics`)).text()).toContain(
      'openray_ignored_total{kind="metric data point"} 4',
    );
    expect(own.output().match(/metrics dropped/g)).toHaveLength(1);
  });

  test('accepts, counts and drops log records, as HTTP does, with one line in the log', async () => {
    const own = await serverForThisTest();
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'just a line' } }] }] }] };
    const message = encode('LogsData', logs);
    const service = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
    for (const _batch of [1, 2]) expect(await call(own.otlpGrpcUrl, service, message)).toEqual(Buffer.alloc(0));
    for (const [type, body, answer] of [
      ['application/json', JSON.stringify(logs), '{}'],
      ['application/x-protobuf', new Uint8Array(message), ''],
    ] as const) {
      const init = { method: 'POST', headers: { 'content-type': type }, body };
      const response = await fetch(`${own.otlpHttpUrl}/v1/logs`, init);
      expect([response.status, await response.text()]).toEqual([200, answer]);
    }
    expect(await (await fetch(`${own.url}/metrics`)).text()).toMatch(/openray_ignored_total\{kind="log record"\} 4/);
    expect(own.output().match(/log records dropped/g)).toHaveLength(1);
  });

  /** One export over HTTP/2 alone, since the client's library offers gzip and deflate only. */
  async function exportWith(encoding: string, message: Buffer): Promise<Readonly<Record<string, unknown>>> {
    const session = connect(server.otlpGrpcUrl ?? '');
    const request = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      'grpc-encoding': encoding,
      te: 'trailers',
    });
    const head = Buffer.alloc(5);
    head.writeUInt8(1);
    head.writeUInt32BE(message.length, 1);
    request.end(Buffer.concat([head, message]));
    const all: Record<string, unknown> = {};
    request.on('response', (headers) => void Object.assign(all, headers));
    request.on('trailers', (trailers) => void Object.assign(all, trailers));
    request.resume();
    await once(request, 'close');
    session.close();
    return all;
  }

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('reads messages compressed with %s, within the same bounds', async (encoding, compress) => {
    const data = requestOf();
    expect(await exportWith(encoding, compress(encode('TracesData', data)))).toMatchObject({ 'grpc-status': '0' });
    const id = data.resourceSpans?.[0]?.scopeSpans?.[0]?.spans?.[0]?.traceId ?? '';
    expect(await documentsOf(xrayId(id))).toHaveLength(1);
    expect(await exportWith(encoding, compress(Buffer.alloc(9 * 1024 * 1024)))).toMatchObject({
      'grpc-status': String(status.RESOURCE_EXHAUSTED),
    });
  });

  test.each(['zstd', 'snappy'])('refuses messages compressed with %s and names what it reads', async (encoding) => {
    expect(await exportWith(encoding, Buffer.from('any'))).toMatchObject({
      'grpc-status': String(status.UNIMPLEMENTED),
      'grpc-message': expect.stringContaining(encodeURI('openray reads gzip and deflate')),
      'grpc-accept-encoding': 'identity,deflate,gzip',
    });
  });

  test('refuses invalid and too large messages with codes that are not retried', async () => {
    const cut = encode('TracesData', requestOf()).subarray(0, -3);
    await expect(call(server.otlpGrpcUrl, EXPORT, cut)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    const large = Buffer.alloc(9 * 1024 * 1024);
    await expect(call(server.otlpGrpcUrl, EXPORT, large)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  test('delays calls while the queue is full; HTTP answers 429 with Retry-After: 1', async () => {
    const small = await serverForThisTest(['--queue-max-bytes', '2000']);
    const requests = Array.from({ length: 40 }, () => encode('TracesData', requestOf()));
    const answers = await Promise.all(requests.map((request) => call(small.otlpGrpcUrl, EXPORT, request)));
    expect(answers.every((answer) => answer.length === 0)).toBe(true);

    const responses = await Promise.all(
      requests.map((body) =>
        fetch(`${small.otlpHttpUrl}/v1/traces`, { method: 'POST', body: new Uint8Array(body), headers: PROTOBUF }),
      ),
    );
    const refused = responses.filter((response) => response.status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const response of refused) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    }
  });
});

test('a used port stops the start with a sentence that names the flag', async () => {
  const usedPort = new URL(server.otlpHttpUrl ?? '').port;
  await expect(serverForThisTest(['--otlp-http-port', usedPort])).rejects.toThrow('--otlp-http-port');
  const without = await serverForThisTest(['--otlp-http-port', 'none', '--otlp-grpc-port', 'none']);
  expect([without.otlpHttpUrl, without.otlpGrpcUrl]).toEqual([undefined, undefined]);
  const answer = await fetch(`${without.url}/v1/traces`, { method: 'POST', body: '{}', headers: JSON_TYPE });
  expect(answer.status).toBe(200);
});

test('both sides of a call with one span id are kept, in both orders', async () => {
  const ids = { root: entityId(), shared: entityId() };
  const start = nowNanos();
  const spanOf = (spanId: string, parentSpanId: string, kind: number, name: string, startTimeUnixNano = start) => ({
    spanId,
    parentSpanId,
    kind,
    name,
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano,
  });
  const front = [spanOf(ids.root, '', 2, 'GET /'), spanOf(ids.shared, ids.root, 3, 'get')];
  // One millisecond later: of segments with the same start, the derived id, which depends on the trace, comes first or last.
  const back = [spanOf(ids.shared, ids.root, 2, 'GET /b', String(BigInt(start) + 1_000_000n))];
  const shapes = [];
  for (const order of [
    [
      ['front', front],
      ['back', back],
    ],
    [
      ['back', back],
      ['front', front],
    ],
  ] as const) {
    const traceId = w3cId();
    for (const [service, spans] of order) {
      const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
      const body = {
        resourceSpans: [{ resource, scopeSpans: [{ spans: spans.map((one) => ({ traceId, ...one })) }] }],
      };
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${server.url}/v1/traces`, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(response.status).toBe(200);
    }
    const segments = await documentsOf(xrayId(traceId));
    shapes.push(segments.map(({ name, parent_id, subsegments }) => [name, parent_id, subsegments?.map((s) => s.name)]));
    const otlp = await (await fetch(`${server.url}/v1/traces/${traceId}`)).text();
    for (const { name } of [...front, ...back]) expect(otlp).toContain(`"name":"${name}"`);
  }
  const expected = [
    ['front', undefined, ['get']],
    ['back', ids.shared, undefined],
  ];
  expect(shapes).toEqual([expected, expected]);
});
