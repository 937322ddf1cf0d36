import { OpenrayError } from '../../errors.ts';
import type { CallOptions } from './engine.ts';

export type WatchedCall = {
  /** Rejects with RequestCancelled when the signal fires, with QueryTimeout when the time limit has passed. */
  readonly failed: Promise<never>;
  /** Kills the call again and again until `end`. A rejection of `failed` starts this, too. */
  kill(): void;
  /** Call when the call has ended in the engine, too. */
  end(): void;
};

/** A cancelled call is killed again until it has ended: the engine may not have started it yet the first time. */
const KILL_RETRY_MS = 50;
/** Time for ClickHouse to end a query by itself before it is killed. */
const TIMEOUT_GRACE_MS = 250;

/** Enforces the signal and the time limit of a call. `kill` is one attempt to end it in the engine; it may fail. */
export function watchCall({ signal, timeoutMs }: CallOptions, kill: () => Promise<void>): WatchedCall {
  let again: NodeJS.Timeout | undefined;
  let timer: NodeJS.Timeout | undefined;
  let state: 'running' | 'killing' | 'ended' = 'running';
  let onAbort = () => {};
  const killUntilEnded = async () => {
    // A failed attempt is repeated. The engine's own time limit ends the call at the latest.
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
      reject(new OpenrayError('QueryTimeout', 'The query exceeded its time limit; use a smaller window'));
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
