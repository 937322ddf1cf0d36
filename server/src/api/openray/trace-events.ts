import type { StoredNotifications } from '../../ingest/stored-notifications.ts';
import { formatTraceId, type TraceId } from '../../model/trace-id.ts';

const MIN_EVENT_INTERVAL_MS = 500;
const MAX_IDS = 100;
/** Bounds the memory between two events: `traces` stops growing here. */
const MAX_COUNTED = 10 * MAX_IDS;

/** Data of the event `stored` of `GET /events`. */
export type TraceEvent = {
  /** Number of traces that changed since the last event, at most 1,000. */
  readonly traces: number;
  /** The first 100 of them, in X-Ray's form. */
  readonly traceIds: readonly string[];
  readonly atUs: number;
};

/** Combines notifications into at most two events a second. Returns the function that ends the subscription. */
export function subscribeTraceEvents(
  notifications: StoredNotifications,
  send: (event: TraceEvent) => void,
): () => void {
  const changed = new Set<TraceId>();
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    timer = undefined;
    const traceIds = [...changed].slice(0, MAX_IDS).map(formatTraceId);
    const event = { traces: changed.size, traceIds, atUs: Date.now() * 1000 };
    changed.clear();
    send(event);
  };
  const unsubscribe = notifications.subscribe((ids) => {
    for (const id of ids) if (changed.size < MAX_COUNTED) changed.add(id);
    timer ??= setTimeout(flush, MIN_EVENT_INTERVAL_MS);
  });
  return () => {
    unsubscribe();
    clearTimeout(timer);
  };
}
