import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { otlpEndpoint, postOtlp } from './otlp-post.ts';

type Seen = { readonly url: string | undefined; readonly headers: IncomingMessage['headers']; readonly body: string };

async function aServer(answer: (reply: ServerResponse) => void): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, reply) => {
    const body = Buffer.concat(await request.toArray());
    seen.push({ url: request.url, headers: request.headers, body: gunzipSync(body).toString() });
    answer(reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const never = new AbortController().signal;

test.each([
  ['http://a:4318', 'http://a:4318'],
  ['http://a:4318/', 'http://a:4318'],
  ['https://a/otlp/v1/traces', 'https://a/otlp'],
  ['https://a/otlp?key=1', 'https://a/otlp?key=1'],
])('%s is sent to below %s', (given, base) => {
  expect(otlpEndpoint(given).url).toBe(base);
});

test('a name and password become a header, beside those that are given', () => {
  const { url, headers } = otlpEndpoint('http://me:p%40ss@a/x', ['X-Team = red', 'x-key=a=b']);
  expect(url).toBe('http://a/x');
  expect(headers).toEqual({
    authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    'x-team': 'red',
    'x-key': 'a=b',
  });
});

test('one request, gzipped, with the headers', async () => {
  const { url, seen } = await aServer((reply) => reply.end('{}'));
  const endpoint = otlpEndpoint(`${url}/base?k=v`, ['x-key=secret']);
  expect(await postOtlp(endpoint, 'traces', '{"resourceSpans":[]}', never)).toEqual({ kind: 'taken', rejected: 0 });
  expect(seen).toMatchObject([
    {
      url: '/base/v1/traces?k=v',
      headers: { 'x-key': 'secret', 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
    },
  ]);
});

test.each([
  [
    200,
    {},
    '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}',
    { kind: 'taken', rejected: 3, reason: 'no' },
  ],
  [202, {}, '', { kind: 'taken', rejected: 0 }],
  [429, { 'retry-after': '2' }, 'slow', { kind: 'retry', reason: '429 slow', afterMs: 2_000 }],
  [502, {}, '', { kind: 'retry', reason: '502' }],
  [503, {}, '', { kind: 'retry' }],
  [504, {}, '', { kind: 'retry' }],
  [500, {}, 'broken', { kind: 'refused', reason: '500 broken' }],
  [400, {}, '', { kind: 'refused' }],
  [401, {}, '', { kind: 'refused' }],
  [307, { location: 'http://127.0.0.1:1/' }, '', { kind: 'refused', reason: '307' }],
])('the answer %i %j %s', async (status, headers, body, delivery) => {
  const { url } = await aServer((reply) => reply.writeHead(status, headers).end(body));
  expect(await postOtlp(otlpEndpoint(url), 'traces', '{}', never)).toMatchObject(delivery);
});

test('a backend that is away is worth another try', async () => {
  const delivery = await postOtlp(otlpEndpoint('http://127.0.0.1:1'), 'traces', '{}', never);
  expect(delivery).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/port|ECONNREFUSED/) });
});
