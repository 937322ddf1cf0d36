import { expect, test, vi } from 'vitest';
import { flushWithin } from './flush-within.ts';

const never = () => new Promise<void>(() => {});

test('resolves with the flush', async () => {
  const onIncomplete = vi.fn();
  await flushWithin(async () => {}, { onIncomplete });
  expect(onIncomplete).not.toHaveBeenCalled();
});

test('a flush that takes too long is a failure with a delay, or an incomplete result', async () => {
  await expect(flushWithin(never, { timeoutMs: 1 })).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    retryAfterSeconds: 1,
  });
  const onIncomplete = vi.fn();
  await flushWithin(never, { timeoutMs: 1, onIncomplete });
  expect(onIncomplete).toHaveBeenCalledOnce();
});

test('ends when the request is cancelled, also before it began', async () => {
  const abort = new AbortController();
  const flushing = flushWithin(never, { signal: abort.signal });
  abort.abort();
  await expect(flushing).rejects.toMatchObject({ code: 'RequestCancelled' });
  await expect(flushWithin(never, { signal: abort.signal })).rejects.toMatchObject({ code: 'RequestCancelled' });
});
