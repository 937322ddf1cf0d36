import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { encode } from '../model/testing/otlp-protocol.ts';
import { otlpEndpoint } from './otlp-endpoint.ts';
import { openOtlpHttpSender } from './otlp-http-sender.ts';

type Seen = { readonly url: string | undefined; readonly headers: IncomingMessage['headers']; readonly body: Buffer };

async function aServer(answer: (reply: ServerResponse) => void): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, reply) => {
    seen.push({ url: request.url, headers: request.headers, body: Buffer.concat(await request.toArray()) });
    answer(reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const never = new AbortController().signal;
const A_REQUEST = Buffer.from('{"resourceSpans":[]}');

test.each([
  ['http/json', true, 'application/json', 'gzip'],
  ['http/protobuf', true, 'application/x-protobuf', 'gzip'],
  ['http/protobuf', false, 'application/x-protobuf', undefined],
] as const)('one request as %s, compressed: %s, with the headers', async (protocol, isCompressed, type, encoding) => {
  const { url, seen } = await aServer((reply) => reply.end('{}'));
  const { send } = openOtlpHttpSender(
    otlpEndpoint(`${url}/base?k=v`, { protocol, isCompressed, headers: ['x-key=secret'] }),
  );
  expect(await send('traces', A_REQUEST, never)).toEqual({ kind: 'accepted', rejected: 0 });
  expect(seen).toHaveLength(1);
  expect(seen[0]?.url).toBe('/base/v1/traces?k=v');
  expect(seen[0]?.headers).toMatchObject({ 'x-key': 'secret', 'content-type': type });
  expect(seen[0]?.headers['content-encoding']).toBe(encoding);
  const body = seen[0]?.body ?? Buffer.alloc(0);
  expect(isCompressed ? gunzipSync(body) : body).toEqual(A_REQUEST);
});

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const REJECTED = encode('ExportResponse', { partialSuccess: { rejected: 3, errorMessage: 'no' } });

test.each([
  [
    200,
    {},
    '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}',
    { kind: 'accepted', rejected: 3, reason: 'no' },
  ],
  [200, PROTOBUF, REJECTED, { kind: 'accepted', rejected: 3, reason: 'no' }],
  [200, PROTOBUF, Buffer.from('0a00', 'hex'), { kind: 'accepted', rejected: 0 }],
  [200, PROTOBUF, Buffer.from('nonsense'), { kind: 'accepted', rejected: 0 }],
  [202, {}, '', { kind: 'accepted', rejected: 0 }],
  [429, { 'retry-after': '2' }, 'slow', { kind: 'retry', reason: '429 slow', retryAfterMs: 2_000 }],
  [502, {}, '', { kind: 'retry', reason: '502' }],
  [503, {}, '', { kind: 'retry' }],
  [504, {}, '', { kind: 'retry' }],
  [500, {}, 'broken', { kind: 'rejected', reason: '500 broken' }],
  [400, PROTOBUF, encode('RpcStatus', { code: 3, message: 'bad' }), { kind: 'rejected', reason: '400 bad' }],
  [401, {}, '', { kind: 'rejected' }],
  [307, { location: 'http://127.0.0.1:1/' }, '', { kind: 'rejected', reason: '307' }],
])('the response %i %j %s', async (status, headers, body, result) => {
  const { url } = await aServer((reply) => reply.writeHead(status, headers).end(body));
  expect(await openOtlpHttpSender(otlpEndpoint(url)).send('traces', A_REQUEST, never)).toMatchObject(result);
});

test('an unreachable backend can be retried', async () => {
  const result = await openOtlpHttpSender(otlpEndpoint('http://127.0.0.1:1')).send('traces', A_REQUEST, never);
  expect(result).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/port|ECONNREFUSED/) });
});
