import type { TraceId } from '../model/trace-id.ts';

/** Notifies subscribers of traces of which documents were stored. Listeners must not throw. */
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
