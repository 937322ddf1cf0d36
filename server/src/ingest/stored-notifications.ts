import type { TraceId } from '../model/trace-id.ts';

/** Tells whoever looks at traces that some have arrived. Listeners must not throw. */
export type StoredNotifications = {
  notify(traceIds: readonly TraceId[]): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (traceIds: readonly TraceId[]) => void): () => void;
};

export function newStoredNotifications(): StoredNotifications {
  const listeners = new Set<(traceIds: readonly TraceId[]) => void>();
  return {
    notify(traceIds) {
      for (const listener of listeners) listener(traceIds);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
