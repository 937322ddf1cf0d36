import { OpenrayError } from '../../errors.ts';

type Lease<T> = { readonly session: T; release(): void };

/** Leases each session to one holder at a time, in the order of requests. */
export type SessionPool<T> = {
  /**
   * Throws ThrottledException when too many calls wait, RequestCancelled or QueryTimeout when `signal` fires or
   * `timeoutMs` passes before a session is free, ServiceUnavailable after `close`.
   */
  acquire(options: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number }): Promise<Lease<T>>;
  /** Rejects waiting and later calls; resolves once every session is released. */
  close(): Promise<void>;
};

type Waiter<T> = { grant(session: T): void; fail(reason: OpenrayError): void };

export function createSessionPool<T>(sessions: readonly T[], maxWaiting: number): SessionPool<T> {
  const free = [...sessions];
  const waiting = new Set<Waiter<T>>();
  let closing: { resolve(): void } | undefined;

  function lease(session: T): Lease<T> {
    let isReleased = false;
    return {
      session,
      release() {
        if (isReleased) return;
        isReleased = true;
        const [next] = waiting;
        if (next) next.grant(session);
        else free.push(session);
        if (free.length === sessions.length) closing?.resolve();
      },
    };
  }

  function acquire({ signal, timeoutMs }: { signal: AbortSignal | undefined; timeoutMs: number }): Promise<Lease<T>> {
    if (closing) return Promise.reject(closed());
    if (signal?.aborted) return Promise.reject(cancelled());
    const session = free.pop();
    if (session !== undefined) return Promise.resolve(lease(session));
    if (waiting.size >= maxWaiting) return Promise.reject(tooManyWaiting());
    return new Promise((resolve, reject) => {
      const dequeue = () => {
        waiting.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter<T> = {
        grant(freed) {
          dequeue();
          resolve(lease(freed));
        },
        fail(reason) {
          dequeue();
          reject(reason);
        },
      };
      const onAbort = () => waiter.fail(cancelled());
      const timer = setTimeout(() => waiter.fail(timedOut()), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.add(waiter);
    });
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      closing = { resolve };
      for (const waiter of waiting) waiter.fail(closed());
      if (free.length === sessions.length) resolve();
    });
  }

  return { acquire, close };
}

const closed = () => new OpenrayError('ServiceUnavailable', 'The store is closing');
const cancelled = () => new OpenrayError('RequestCancelled', 'The request was cancelled before its query ran');
const timedOut = () => new OpenrayError('QueryTimeout', 'No session of the store became free in time; try again');
const tooManyWaiting = () =>
  new OpenrayError('ThrottledException', 'Too many queries wait for the store', { retryAfterSeconds: 1 });
