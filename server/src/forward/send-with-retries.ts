import { setTimeout as delay } from 'node:timers/promises';

/** What became of one request to another backend. `rejected` are those of its documents that were not taken. */
export type SendResult =
  | { readonly kind: 'taken'; readonly rejected: number; readonly reason?: string | undefined }
  /** Sending the same again would fail again. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** `afterMs`: when the backend wants it again, where it said so. */
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number | undefined };

const INITIAL_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 30_000;

/**
 * How long to wait before the try after `failures` failed ones: twice as long each time, spread by a fifth, so that what
 * failed together does not come back together. Never less than the backend asked for.
 */
export function retryDelayMs(failures: number, afterMs = 0, random: () => number = Math.random): number {
  const backoffMs = Math.min(INITIAL_INTERVAL_MS * 2 ** (failures - 1), MAX_INTERVAL_MS);
  return Math.max(backoffMs * (0.8 + 0.4 * random()), afterMs);
}

/** Seconds or a date, as `Retry-After` has it, in milliseconds from now; undefined when it is neither. */
export function readRetryAfter(header: string | null, nowMs: number = Date.now()): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

export type RetryOptions = {
  readonly maxElapsedMs: number;
  readonly delayMs?: ((failures: number, afterMs: number | undefined) => number) | undefined;
  /** Ends the wait for the next try, which then is the last one. */
  readonly stopRetrying?: AbortSignal;
  /** Told of each failure that is followed by another try. */
  readonly onRetry?: (reason: string) => void;
};

/** Sends until it is taken or refused. What is returned as `retry` was given up. */
export async function sendWithRetries(
  send: () => Promise<SendResult>,
  { maxElapsedMs: giveUpMs, delayMs = retryDelayMs, stopRetrying: hurry, onRetry }: RetryOptions,
): Promise<SendResult> {
  const sinceMs = performance.now();
  for (let failures = 1; ; failures += 1) {
    const delivery = await send();
    if (delivery.kind !== 'retry' || hurry?.aborted) return delivery;
    const waitMs = delayMs(failures, delivery.retryAfterMs);
    if (performance.now() + waitMs - sinceMs > giveUpMs) return delivery;
    onRetry?.(delivery.reason);
    await delay(waitMs, undefined, { signal: hurry }).catch(() => undefined);
  }
}
