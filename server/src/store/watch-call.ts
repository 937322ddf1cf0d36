import { OpenrayError } from '../errors.ts';
import type { CallOptions } from './engine.ts';

export type WatchedCall = {
  /** Rejects with RequestCancelled when the signal fires, with QueryTimeout when the time is over. */
  readonly failed: Promise<never>;
  /** Kills the call until `end`. `failed` has begun to, where it rejects. */
  kill(): void;
  /** The call has ended in the engine, too. */
  end(): void;
};

/** A cancelled call is killed again until it has ended: the first time it may not have begun. */
const KILL_RETRY_MS = 50;
/** What ClickHouse gets to end a query by itself before it is killed. */
const TIMEOUT_GRACE_MS = 250;

/** Holds a call to its signal and its time. `kill` is one attempt to end it in the engine; it may fail. */
export function watchCall({ signal, timeoutMs }: CallOptions, kill: () => Promise<void>): WatchedCall {
  let again: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  let state: 'running' | 'killing' | 'ended' = 'running';
  let onAbort = () => {};
  const killUntilEnded = async () => {
    // A failed attempt is made again; the engine's own limits end the call at the latest.
    await kill().catch(() => {});
    if (state !== 'ended') again = setTimeout(killUntilEnded, KILL_RETRY_MS);
  };
  const startKilling = () => {
    if (state !== 'running') return;
    state = 'killing';
    void killUntilEnded();
  };
  const failed = new Promise<never>((_, reject) => {
    onAbort = () => {
      startKilling();
      reject(new OpenrayError('RequestCancelled', 'The request was cancelled'));
    };
    timer = setTimeout(() => {
      startKilling();
      reject(new OpenrayError('QueryTimeout', 'The query took longer than it may; ask for a smaller window'));
    }, timeoutMs + TIMEOUT_GRACE_MS);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
  failed.catch(() => {});
  return {
    failed,
    kill: startKilling,
    end() {
      state = 'ended';
      clearTimeout(timer);
      clearTimeout(again);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
