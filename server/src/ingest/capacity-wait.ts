import { setTimeout } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';

export type WaitingSender = {
  /** When the sender stops waiting for the response, in milliseconds since the epoch; Infinity when it sets no deadline. */
  readonly deadlineMs: number;
  /** Whether the sender waits no longer. */
  isCancelled(): boolean;
};

/**
 * Resolves once the store has capacity for the `bytes` of a request.
 * Throws ThrottledException shortly before the sender's deadline, RequestCancelled.
 */
export type WaitForCapacity = (bytes: number, sender: WaitingSender) => Promise<void>;

/** Longest wait of a sender that sets no deadline. */
const MAX_WAIT_MS = 30_000;
/** Part of the sender's deadline that is left for the response. */
const RESPONSE_RESERVE_MS = 250;
const POLL_MS = 20;

/**
 * A wait for senders that do not retry after an error. A waiting request keeps its bytes in memory: one that exceeds
 * `maxWaitingBytes` of all waiting requests fails at once.
 */
export function newCapacityWait(hasCapacity: (bytes: number) => boolean, maxWaitingBytes: number): WaitForCapacity {
  let waitingBytes = 0;
  return async (bytes, sender) => {
    if (hasCapacity(bytes)) return;
    if (waitingBytes + bytes > maxWaitingBytes) throw capacityExceeded();
    waitingBytes += bytes;
    try {
      const lastMs = Math.min(sender.deadlineMs, Date.now() + MAX_WAIT_MS) - RESPONSE_RESERVE_MS;
      while (!hasCapacity(bytes)) {
        if (sender.isCancelled()) throw new OpenrayError('RequestCancelled', 'the sender disconnected');
        if (Date.now() >= lastMs) throw capacityExceeded();
        await setTimeout(POLL_MS);
      }
    } finally {
      waitingBytes -= bytes;
    }
  };
}

function capacityExceeded(): OpenrayError {
  return new OpenrayError('ThrottledException', 'spans arrive faster than they can be stored', {
    retryAfterSeconds: 1,
  });
}
