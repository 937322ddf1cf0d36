import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { newMemoryBudget } from '../ingest/memory-budget.ts';
import { readBody } from './request-body.ts';

const NO_LIMITS = { maxBytes: 1_000, idleMs: 60_000 };

test('a body is read to its end, and counted as it arrives', async () => {
  const budget = newMemoryBudget(1_000);
  const stream = new PassThrough();
  const body = readBody(stream, { ...NO_LIMITS, memory: budget.open() });
  stream.write('seg');
  await expect.poll(() => budget.used().bodies).toBe(3);
  stream.end('ment');
  expect((await body).toString()).toBe('segment');
  expect(budget.used().bodies).toBe(7);
});

test.each([
  ['larger than the bound', { maxBytes: 9 }, 'RequestTooLargeException'],
  ['larger than the memory for requests', { memory: newMemoryBudget(18).open() }, 'RequestTooLargeException'],
])('a body that is %s is refused', async (_what, limits, code) => {
  const stream = new PassThrough();
  const body = readBody(stream, { ...NO_LIMITS, memory: newMemoryBudget(1_000).open(), ...limits });
  stream.write('0123456789');
  await expect(body).rejects.toMatchObject({ code });
  expect(stream.destroyed).toBe(false);
});

test('a body is throttled at the byte that does not fit beside other requests', async () => {
  const budget = newMemoryBudget(20);
  budget.open().reserve('bodies', 8);
  const stream = new PassThrough();
  const body = readBody(stream, { ...NO_LIMITS, memory: budget.open() });
  stream.write('01');
  stream.write('2');
  await expect(body).rejects.toMatchObject({ code: 'ThrottledException', retryAfterSeconds: 1 });
});

test('a sender that pauses for too long is refused', async () => {
  const stream = new PassThrough();
  stream.write('half');
  const body = readBody(stream, { ...NO_LIMITS, memory: newMemoryBudget(1_000).open(), idleMs: 20 });
  await expect(body).rejects.toMatchObject({ code: 'RequestTimeoutException' });
});

test('a sender that disconnects within a body ends the request', async () => {
  const stream = new PassThrough();
  const body = readBody(stream, { ...NO_LIMITS, memory: newMemoryBudget(1_000).open() });
  stream.write('half');
  stream.destroy();
  await expect(body).rejects.toMatchObject({ code: 'RequestCancelled' });
});
