import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { encode } from '../server/src/model/testing/otlp-protocol.ts';
import { segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { waitFor } from './support/wait.ts';

/** Leaves 15 % for requests, half of it for bodies. */
const MEMORY_BYTES = 400_000_000;
const REQUEST_BYTES = 0.15 * MEMORY_BYTES;
const FLAGS = ['--memory-max-bytes', String(MEMORY_BYTES), '--body-max-bytes', '67108864'];

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(FLAGS);
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

/** The body holds half of the memory of requests without its last byte, until the socket is closed. */
async function holdMemory(): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const bytes = REQUEST_BYTES / 2;
  socket.write(`POST /TraceSegments HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${bytes}\r\n\r\n`);
  socket.write(Buffer.alloc(bytes - 1, ' '));
  await waitFor('the body to be held', async () => ((await used()) >= bytes - 1 ? true : undefined));
  return socket;
}

/** Bytes that all requests hold now. */
async function used(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith('openray_request_memory_bytes{'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const spans = () => {
  const ids = { traceId: traceId().slice(2).replace('-', ''), spanId: 'a'.repeat(16) };
  return { resourceSpans: [{ scopeSpans: [{ spans: [{ ...ids, name: 'span' }] }] }] };
};

async function post(url: string, body: Uint8Array<ArrayBuffer> | string, headers: Readonly<Record<string, string>>) {
  const response = await fetch(url, { method: 'POST', body, headers });
  await response.text();
  return `${response.status} ${response.headers.get('retry-after')}`;
}

const PADDING = ' '.repeat(4_900_000);
const JSON_TYPE = { 'content-type': 'application/json' };

/** Each sends a small trace with so much padding that it does not fit beside the held body. */
const RECEIVERS: readonly (readonly [string, (server: TestServer) => Promise<string>])[] = [
  [
    'segment documents',
    ({ url }) =>
      post(
        `${url}/TraceSegments`,
        JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(segment())] }) + PADDING,
        {},
      ),
  ],
  ['OTLP', ({ otlpHttpUrl }) => post(`${otlpHttpUrl}/v1/traces`, JSON.stringify(spans()) + PADDING, JSON_TYPE)],
  [
    'compressed OTLP',
    ({ otlpHttpUrl }) =>
      post(`${otlpHttpUrl}/v1/traces`, new Uint8Array(gzipSync(JSON.stringify(spans()) + PADDING)), {
        ...JSON_TYPE,
        'content-encoding': 'gzip',
      }),
  ],
  [
    'Zipkin',
    async ({ url }) => {
      const span = { traceId: '5'.repeat(32), id: 'b'.repeat(16), name: 'span', timestamp: Date.now() * 1000 };
      const response = await post(`${url}/api/v2/spans`, JSON.stringify([span]) + PADDING, JSON_TYPE);
      return response.replace('202', '200');
    },
  ],
  [
    'the Invoke API',
    async ({ url }) => {
      const response = await post(`${url}/2015-03-31/functions/none/invocations`, `{}${PADDING}`, {});
      // Without functions.
      return response.replace('404', '200');
    },
  ],
];

test.each(RECEIVERS)('%s beyond the memory of requests are throttled, and accepted afterwards', async (_what, send) => {
  const held = await holdMemory();
  expect(await send(server)).toBe('429 1');
  held.destroy();
  await waitFor('the memory to be released', async () => ((await used()) === 0 ? true : undefined));
  expect(await send(server)).toBe('200 null');
  await waitFor('the memory to be released', async () => ((await used()) === 0 ? true : undefined));
});

test('a request that needs more memory than requests have alone is too large', async () => {
  const body = new Uint8Array(REQUEST_BYTES / 2 + 1);
  expect(await post(`${server.url}/TraceSegments`, body, {})).toBe('413 null');
  expect(await post(`${server.otlpHttpUrl}/v1/traces`, new Uint8Array(REQUEST_BYTES / 6), JSON_TYPE)).toBe('413 null');
});

test('gRPC waits for memory until the deadline', async () => {
  const client = new Client((server.otlpGrpcUrl ?? '').replace('http://', ''), credentials.createInsecure());
  onTestFinished(() => client.close());
  const value = { stringValue: PADDING };
  const message = encode('TracesData', {
    resourceSpans: [{ resource: { attributes: [{ key: 'padding', value }] }, scopeSpans: [] }],
  });
  const exported = (deadlineMs: number) =>
    new Promise<number>((resolve) => {
      client.makeUnaryRequest(
        '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        message,
        new Metadata(),
        { deadline: Date.now() + deadlineMs },
        (error) => resolve(error?.code ?? status.OK),
      );
    });
  const held = await holdMemory();
  // The server answers before the deadline, unless the machine is busy.
  expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(await exported(1_000));
  const waiting = exported(60_000);
  held.destroy();
  expect(await waiting).toBe(status.OK);
});
