import { setTimeout as delay } from 'node:timers/promises';

/** Result of one request to another backend. `rejected` counts the documents that the backend did not accept. */
export type SendResult =
  | { readonly kind: 'accepted'; readonly rejected: number; readonly reason?: string | undefined }
  /** A retry would fail, too. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** `retryAfterMs`: the delay that the backend asks for, if any. */
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number | undefined };

const INITIAL_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 30_000;

/**
 * Delay before the next attempt after `failures` failed ones. Doubles each time; jitter of ±20 % spreads requests that
 * failed together. Never shorter than `retryAfterMs`, which the backend asks for.
 */
export function retryDelayMs(failures: number, retryAfterMs = 0, random: () => number = Math.random): number {
  const backoffMs = Math.min(INITIAL_INTERVAL_MS * 2 ** (failures - 1), MAX_INTERVAL_MS);
  return Math.max(backoffMs * (0.8 + 0.4 * random()), retryAfterMs);
}

/** `Retry-After`, which is seconds or a date, in milliseconds from now; undefined when it is neither. */
export function readRetryAfter(header: string | null, nowMs: number = Date.now()): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

export type RetryOptions = {
  readonly maxElapsedMs: number;
  readonly delayMs?: ((failures: number, retryAfterMs: number | undefined) => number) | undefined;
  /** Ends the delay before the next attempt, which then is the last one. */
  readonly stopRetrying?: AbortSignal;
  /** Called for each failure that is followed by another attempt. */
  readonly onRetry?: (reason: string) => void;
};

/** Sends until the backend accepts or rejects the request. Resolves with `retry` when the time limit has passed. */
export async function sendWithRetries(
  send: () => Promise<SendResult>,
  { maxElapsedMs, delayMs = retryDelayMs, stopRetrying, onRetry }: RetryOptions,
): Promise<SendResult> {
  const startMs = performance.now();
  for (let failures = 1; ; failures += 1) {
    const result = await send();
    if (result.kind !== 'retry' || stopRetrying?.aborted) return result;
    const waitMs = delayMs(failures, result.retryAfterMs);
    if (performance.now() + waitMs - startMs > maxElapsedMs) return result;
    onRetry?.(result.reason);
    await delay(waitMs, undefined, { signal: stopRetrying }).catch(() => undefined);
  }
}
