import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import invalidEmail from '../../events/invalid_user_invalid_email.json' with { type: 'json' };
import brian from '../../events/valid_user.json' with { type: 'json' };

const context = {
  functionName: 'OtelFunction',
  awsRequestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  logGroupName: '/aws/lambda/OtelFunction',
  logStreamName: '2024/04/30/[$LATEST]6f1e',
} as Context;

/** Serves the page, and collects the spans at /v1/traces. */
const sent: Buffer[] = [];
const headers: (string | undefined)[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.url === '/v1/traces') sent.push(Buffer.concat(chunks));
  else headers.push(request.headers['x-amzn-trace-id'] as string | undefined);
  response.writeHead(200).end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('REGISTRATION_URL', `${url}/page`);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url);
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=7c2e3f4a5b6c7d82;Sampled=1');
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterAll(() => void server.close());

test('a valid user is registered, and its spans are sent before the invocation ends', async () => {
  const { handler } = await import('./index.ts');
  expect(await handler(brian, context)).toEqual({ status_code: 200, ...brian });
  const spans = Buffer.concat(sent);
  expect(['OtelFunction', 'submitUser', 'brian1'].every((text) => spans.includes(text))).toBe(true);
  expect(spans.includes(Buffer.from('6650a0803c4d5e6f708192a3b4c5d6e7', 'hex'))).toBe(true);
});

test('the called page gets the trace header', () => {
  expect(headers.at(-1)).toMatch(/^Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=[0-9a-f]{16};Sampled=1$/);
});

test('an event that is not a user is an exception of the invocation, and is traced', async () => {
  const { handler } = await import('./index.ts');
  sent.splice(0);
  await expect(handler(invalidEmail, context)).rejects.toThrow('email');
  expect(Buffer.concat(sent).includes('ValidationError')).toBe(true);
});
