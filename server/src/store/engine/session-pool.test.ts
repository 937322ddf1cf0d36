import { expect, test } from 'vitest';
import { createSessionPool } from './session-pool.ts';

const PATIENT = { signal: undefined, timeoutMs: 10_000 };

test('each session has one holder, and calls get it in the order of requests', async () => {
  const pool = createSessionPool(['only'], 10);
  const held = await pool.acquire(PATIENT);
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (number) => {
    const lease = await pool.acquire(PATIENT);
    order.push(number);
    lease.release();
  });
  expect(order).toEqual([]);
  held.release();
  held.release();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
});

test('the number of waiting calls is limited', async () => {
  const pool = createSessionPool(['only'], 1);
  const held = await pool.acquire(PATIENT);
  const waiting = pool.acquire(PATIENT);
  await expect(pool.acquire(PATIENT)).rejects.toMatchObject({ code: 'ThrottledException' });
  held.release();
  await expect(waiting).resolves.toMatchObject({ session: 'only' });
});

test('a cancelled or late call leaves the queue', async () => {
  const pool = createSessionPool(['only'], 10);
  const held = await pool.acquire(PATIENT);
  const abort = new AbortController();
  const cancelled = pool.acquire({ ...PATIENT, signal: abort.signal });
  const late = pool.acquire({ ...PATIENT, timeoutMs: 1 });
  abort.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'RequestCancelled' });
  await expect(late).rejects.toMatchObject({ code: 'QueryTimeout' });
  held.release();
  await expect(pool.acquire(PATIENT)).resolves.toMatchObject({ session: 'only' });
});

test('closing rejects waiting calls and waits for holders', async () => {
  const pool = createSessionPool(['only'], 10);
  const held = await pool.acquire(PATIENT);
  const waiting = pool.acquire(PATIENT);
  let isClosed = false;
  const closing = pool.close().then(() => {
    isClosed = true;
  });
  await expect(waiting).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  await expect(pool.acquire(PATIENT)).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  expect(isClosed).toBe(false);
  held.release();
  await closing;
});
