import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';
import type { FlushOptions } from './store.ts';

/** Longest wait of a question for the documents before it. */
const FLUSH_TIMEOUT_MS = 2_000;

/**
 * Waits for a flush. After `timeoutMs` it throws ServiceUnavailable, or calls `onIncomplete` and resolves; the flush
 * goes on. Throws RequestCancelled when the signal fires.
 */
export async function flushWithin(
  flush: () => Promise<void>,
  { signal, onIncomplete, timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {},
): Promise<void> {
  const done = new AbortController();
  const ended = AbortSignal.any([done.signal, ...(signal ? [signal] : [])]);
  const isLate = delay(timeoutMs, true, { signal: ended }).catch(() => false);
  const isIncomplete = await Promise.race([flush().then(() => false), isLate]).finally(() => done.abort());
  if (signal?.aborted) throw new OpenrayError('RequestCancelled', 'The request was cancelled');
  if (!isIncomplete) return;
  if (onIncomplete === undefined) {
    const sentence = 'The store is still inserting the newest documents; try again';
    throw new OpenrayError('ServiceUnavailable', sentence, { retryAfterSeconds: 1 });
  }
  onIncomplete();
}
