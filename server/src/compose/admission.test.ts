import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { buildApp } from '../http/app.ts';
import { openMetrics } from '../http/metrics.ts';
import { listenOtlpGrpc } from '../http/otlp-grpc.ts';
import type { IngestContext } from '../ingest/accept.ts';
import { type Admission, newAdmission } from '../ingest/admission.ts';
import { newMemoryBudget } from '../ingest/memory-budget.ts';
import { newStoredNotifications } from '../ingest/stored-notifications.ts';
import { listenUdp } from '../ingest/udp.ts';
import { newTraceWaits } from '../query/traces/wait-for-trace.ts';
import { newSamplingTargets } from '../sampling/targets.ts';
import { newStats, type Receiver } from '../stats.ts';
import { storeForThisFile } from '../store/testing/store-for-this-file.ts';

const store = await storeForThisFile();
const queue = { bytes: 0 };

/** All receivers over one admission, whose queue the test fills. */
async function startReceivers() {
  const log = pino({ level: 'silent' });
  const stats = newStats();
  const notifications = newStoredNotifications();
  const admission: Admission = newAdmission({
    queuedBytes: () => queue.bytes,
    queueMaxBytes: 100,
    heldMaxBytes: 1_000,
  });
  const memory = newMemoryBudget(100_000_000);
  const ingest: IngestContext = { store, stats, notifications, admission };
  let seq = Date.now() * 1000;
  const nextSeq = (count = 1) => {
    seq += count;
    return seq - count + 1;
  };
  const otlpContext = { ...ingest, nextSeq, indexed: new Set<string>(), dropLogRecords() {}, dropMetrics() {} };
  const traceWaits = newTraceWaits(store, notifications.subscribe);
  const app = await buildApp({
    context: {
      ...ingest,
      nextSeq,
      documentMaxBytes: 64_000,
      samplingRules: () => [],
      retentionRules: [],
      samplingTargets: newSamplingTargets(() => []),
      traceWaits,
      region: 'us-east-1',
      accountId: '000000000000',
      receivers: () => ({ daemonAddress: '', otlpHttpUrl: undefined, otlpGrpcUrl: undefined, functions: [] }),
    },
    otlp: { context: otlpContext, options: { maxBytes: 1_000_000 } },
    log,
    memory,
    bodyMaxBytes: 1_000_000,
    consoleDir: undefined,
    lambda: () => undefined,
    version: 'test',
    metrics: openMetrics({ stats, store, memory }),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const grpc = await listenOtlpGrpc(otlpContext, { host: '127.0.0.1', port: 0, maxBytes: 1_000_000, memory, log });
  const udp = await listenUdp(ingest, {
    host: '127.0.0.1',
    port: 0,
    documentMaxBytes: 64_000,
    acceptsUnsampled: false,
    nextSeq,
    indexed: otlpContext.indexed,
    memory,
    log,
  });
  onTestFinished(async () => {
    traceWaits.close();
    await Promise.all([app.close(), grpc.close(), udp.close()]);
  });
  return { stats, httpPort: Number(new URL(app.listeningOrigin).port), grpcPort: grpc.port, udpPort: udp.port };
}

type Receivers = Awaited<ReturnType<typeof startReceivers>>;

/** The status of a request whose body announces 10 bytes; they are sent only if `sendsBody`. */
function httpStatus(port: number, path: string, type: string, sendsBody: boolean): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const headers = `host: localhost\r\ncontent-type: ${type}\r\ncontent-length: 10`;
  socket.write(`POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n${sendsBody ? 'no message' : ''}`);
  return new Promise((resolve, reject) => {
    socket.once('data', (bytes) => resolve(bytes.toString().split(' ')[1] ?? ''));
    socket.once('error', reject);
  });
}

async function grpcStatus(port: number, service: string): Promise<string> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const path = `/opentelemetry.proto.collector.${service}/Export`;
  const same = (bytes: Buffer) => bytes;
  const deadline = Date.now() + 2_000;
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest(path, same, same, Buffer.from('no message'), { deadline }, resolve),
  );
  return status[error?.code ?? status.OK] ?? '';
}

async function datagramDrop({ stats, udpPort }: Receivers): Promise<string> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const before = new Map(stats.datagrams.dropped);
  socket.send('no message', udpPort, '127.0.0.1');
  return vi.waitFor(
    () => {
      const found = [...stats.datagrams.dropped].find(([reason, count]) => count > (before.get(reason) ?? 0));
      if (found === undefined) throw new Error('no datagram was dropped');
      return found[0];
    },
    { timeout: 60_000 },
  );
}

type Sent = {
  readonly receiver: Receiver;
  /** Sends a body that every reader refuses, and returns the result. Over HTTP the body never arrives while `isFull`. */
  send(receivers: Receivers, isFull: boolean): Promise<string>;
  readonly full: string;
  readonly read: string;
};

const overHttp = (receiver: Receiver, path: string, type: string): Sent => ({
  receiver,
  send: ({ httpPort }, isFull) => httpStatus(httpPort, path, type, !isFull),
  full: '429',
  read: '400',
});

const SENT: Readonly<Record<string, Sent>> = {
  'OTLP over HTTP in protobuf': overHttp('otlp-http', '/v1/traces', 'application/x-protobuf'),
  'OTLP over HTTP in JSON': overHttp('otlp-http', '/v1/traces', 'application/json'),
  'logs of OTLP over HTTP': overHttp('otlp-http', '/v1/logs', 'application/json'),
  'OTLP over gRPC': {
    receiver: 'otlp-grpc',
    send: ({ grpcPort }) => grpcStatus(grpcPort, 'trace.v1.TraceService'),
    full: 'UNAVAILABLE',
    read: 'INVALID_ARGUMENT',
  },
  'logs of OTLP over gRPC': {
    receiver: 'otlp-grpc',
    send: ({ grpcPort }) => grpcStatus(grpcPort, 'logs.v1.LogsService'),
    full: 'UNAVAILABLE',
    read: 'INVALID_ARGUMENT',
  },
  Zipkin: overHttp('zipkin', '/api/v2/spans', 'application/json'),
  PutTraceSegments: overHttp('http', '/TraceSegments', 'application/json'),
  datagrams: { receiver: 'udp', send: datagramDrop, full: 'queue-full', read: 'no-header' },
};

test('each receiver has a request in the table', () => {
  expect(new Set(Object.values(SENT).map(({ receiver }) => receiver))).toEqual(
    new Set(Object.keys(newStats().documents)),
  );
});

test.each(Object.entries(SENT))('%s: while the queue is full, nothing is read', async (_what, sent) => {
  const receivers = await startReceivers();
  const { stats } = receivers;
  queue.bytes = 100;
  expect(await sent.send(receivers, true)).toBe(sent.full);
  if (sent.receiver !== 'udp') expect(stats.refusedRequests[sent.receiver]).toBe(1);
  expect(stats.documents[sent.receiver]).toMatchObject({ received: 0, queued: 0, dropped: 0 });
  queue.bytes = 0;
  expect(await sent.send(receivers, false)).toBe(sent.read);
  // The room of the request that failed is free again.
  queue.bytes = 89;
  await vi.waitFor(async () => expect(await sent.send(receivers, false)).toBe(sent.read), { timeout: 60_000 });
});

test('a request that waits is read once the queue has room', async () => {
  const { httpPort, stats } = await startReceivers();
  queue.bytes = 100;
  const answer = httpStatus(httpPort, '/v1/traces', 'application/x-protobuf', true);
  setTimeout(() => {
    queue.bytes = 0;
  }, 50);
  expect(await answer).toBe('400');
  expect(stats.refusedRequests['otlp-http']).toBe(0);
});
