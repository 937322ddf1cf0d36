import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { OpenrayError } from '../errors.ts';
import { handleErrors, logFailure } from './errors.ts';
import { serveJaeger } from './jaeger.ts';

const OUTAGE = new OpenrayError('ServiceUnavailable', 'The engine is restarting', {
  retryAfterSeconds: 1,
  cause: new Error('the process of the engine was ended by SIGSEGV'),
});

test('during an outage clients of AWS and Jaeger learn when to try again', async () => {
  const app = Fastify();
  handleErrors(app);
  app.post('/TraceSummaries', () => Promise.reject(OUTAGE));
  serveJaeger(app, { flush: () => Promise.reject(OUTAGE) } as unknown as Parameters<typeof serveJaeger>[1]);
  for (const [method, url] of [
    ['POST', '/TraceSummaries'],
    ['GET', '/api/services'],
    ['GET', '/api/v3/services'],
  ] as const) {
    const { statusCode, headers } = await app.inject({ method, url });
    expect([url, statusCode, headers['retry-after']]).toEqual([url, 503, '1']);
  }
});

test.each([
  [OUTAGE, [['warn', { reason: 'the process of the engine was ended by SIGSEGV', url: '/x' }]]],
  [new OpenrayError('InternalFailure', 'broken'), [['error', { err: expect.any(OpenrayError), url: '/x' }]]],
  [new OpenrayError('InvalidRequestException', 'wrong'), []],
])('the log has a line of an outage, the stack of a fault, and nothing of bad input', (failure, lines) => {
  const logged: unknown[] = [];
  const log = {
    warn: (fields: object) => logged.push(['warn', fields]),
    error: (fields: object) => logged.push(['error', fields]),
  };
  logFailure({ log, url: '/x' } as unknown as Parameters<typeof logFailure>[0], failure);
  expect(logged).toEqual(lines);
});
