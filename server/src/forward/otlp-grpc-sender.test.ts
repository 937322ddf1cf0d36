import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { encode } from '../model/testing/otlp-protocol.ts';
import { openOtlpSender } from './open-otlp-sender.ts';
import { otlpEndpoint } from './otlp-endpoint.ts';
import type { OtlpSender } from './otlp-sender.ts';

type Answer = sendUnaryData<Buffer>;
type Seen = { readonly metadata: Metadata; readonly body: Buffer };

const bytes = (value: Buffer) => value;
const METHOD = {
  path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

async function aBackend(
  answer: (done: Answer) => void,
  options: Parameters<typeof otlpEndpoint>[1] = {},
): Promise<{ sender: OtlpSender; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = new Server();
  server.addService(
    { Export: METHOD },
    {
      Export: ({ metadata, request }: ServerUnaryCall<Buffer, Buffer>, done: Answer) => {
        seen.push({ metadata, body: request });
        answer(done);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (cause, bound) =>
      cause === null ? resolve(bound) : reject(cause),
    ),
  );
  const sender = await openOtlpSender(otlpEndpoint(`http://127.0.0.1:${port}`, { protocol: 'grpc', ...options }));
  onTestFinished(() => {
    sender.close();
    server.forceShutdown();
  });
  return { sender, seen };
}

const never = new AbortController().signal;
const A_REQUEST = Buffer.from('a request');
const ok = (done: Answer) => done(null, Buffer.alloc(0));

test.each([true, false])('one call, compressed: %s, with the headers', async (isCompressed) => {
  const { sender, seen } = await aBackend(ok, { isCompressed, headers: ['X-Key=secret'] });
  expect(await sender.send('traces', A_REQUEST, never)).toEqual({ kind: 'accepted', rejected: 0 });
  expect(seen).toHaveLength(1);
  expect(seen[0]?.body).toEqual(A_REQUEST);
  expect(seen[0]?.metadata.get('x-key')).toEqual(['secret']);
});

test('rejected items of a request are counted', async () => {
  const partial = encode('ExportResponse', { partialSuccess: { rejected: 2, errorMessage: 'no ids' } });
  const { sender } = await aBackend((done) => done(null, partial));
  expect(await sender.send('traces', A_REQUEST, never)).toEqual({ kind: 'accepted', rejected: 2, reason: 'no ids' });
});

test.each([
  [status.CANCELLED, 'retry'],
  [status.DEADLINE_EXCEEDED, 'retry'],
  [status.ABORTED, 'retry'],
  [status.OUT_OF_RANGE, 'retry'],
  [status.UNAVAILABLE, 'retry'],
  [status.DATA_LOSS, 'retry'],
  [status.RESOURCE_EXHAUSTED, 'rejected'],
  [status.INVALID_ARGUMENT, 'rejected'],
  [status.UNAUTHENTICATED, 'rejected'],
  [status.UNIMPLEMENTED, 'rejected'],
  [status.INTERNAL, 'rejected'],
] as const)('the status %i becomes %s', async (code, kind) => {
  const { sender } = await aBackend((done) => done({ code, details: 'why' }));
  const reason = `${status[code]}: why`;
  expect(await sender.send('traces', A_REQUEST, never)).toMatchObject({ kind, reason });
});

test('a full backend is retried after the delay that it asks for', async () => {
  const metadata = new Metadata();
  const retryInfo = encode('RetryInfo', { retryDelay: { seconds: 3, nanos: 500_000_000 } });
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value: retryInfo.toString('base64') }];
  metadata.set('grpc-status-details-bin', encode('RpcStatus', { code: 8, message: 'full', details }));
  const { sender } = await aBackend((done) => done({ code: status.RESOURCE_EXHAUSTED, details: 'full', metadata }));
  expect(await sender.send('traces', A_REQUEST, never)).toMatchObject({ kind: 'retry', retryAfterMs: 3_500 });
});

test('a call that times out can be retried, and a cancelled call ends at once', async () => {
  const { sender } = await aBackend(() => undefined, { timeoutMs: 50 });
  expect(await sender.send('traces', A_REQUEST, never)).toMatchObject({ kind: 'retry' });
  const stop = new AbortController();
  const { sender: patient } = await aBackend(() => stop.abort());
  expect(await patient.send('traces', A_REQUEST, stop.signal)).toMatchObject({ kind: 'retry' });
});

test('an unreachable backend can be retried', async () => {
  const sender = await openOtlpSender(otlpEndpoint('http://127.0.0.1:1', { protocol: 'grpc' }));
  onTestFinished(sender.close);
  expect(await sender.send('traces', A_REQUEST, never)).toMatchObject({ kind: 'retry' });
});
