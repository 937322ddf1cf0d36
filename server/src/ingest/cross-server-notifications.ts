import { setTimeout as delay } from 'node:timers/promises';
import type { TraceId } from '../model/trace-id.ts';
import { sql } from '../store/sql.ts';
import type { Store } from '../store/store.ts';
import { newStoredNotifications, type StoredNotifications } from './stored-notifications.ts';

export type CrossServerNotifications = StoredNotifications & { close(): Promise<void> };

type StoredRow = { readonly trace_id: TraceId; readonly seq: number; readonly server: number };

const POLL_INTERVAL_MS = 50;
/** Pause after a poll, at least, as a multiple of its duration: bounds the share of time that polls take. */
const MIN_REST_FACTOR = 2;
const FAILURE_RETRY_MS = 1_000;
/** Polls find documents that arrived no longer ago than this, of servers without later documents. */
const RECENT_US = 5_000_000;
/** Of a busy or slow server an insert may take longer. Such documents are looked for once in LATE_POLL_MS. */
const MAX_STORE_DELAY_US = 600_000_000;
const LATE_POLL_MS = 1_000;
/** Tolerance for documents of one server that become visible out of order, and for shards that differ. */
const MAX_REORDER_US = 200_000;

/**
 * Notifications of documents that this server or another server on a shared store has stored. The store is polled while
 * there are subscribers. A notification from another server comes about 50 ms after the insert. It may come twice, and
 * is missing when the insert took longer than MAX_STORE_DELAY_US.
 */
export function newCrossServerNotifications(store: Store): CrossServerNotifications {
  const local = newStoredNotifications();
  if (!store.isShared) return { ...local, close: async () => undefined };
  const all = newStoredNotifications();
  local.subscribe(all.notify);
  let subscriberCount = 0;
  let polling: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  function start(): void {
    const abort = new AbortController();
    polling = { abort, ended: pollStore(store, all.notify, abort.signal) };
  }

  async function stop(): Promise<void> {
    const { abort, ended } = polling ?? {};
    polling = undefined;
    abort?.abort();
    await ended;
  }

  return {
    notify: local.notify,
    subscribe(listener) {
      const unsubscribe = all.subscribe(listener);
      subscriberCount += 1;
      if (subscriberCount === 1) start();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        unsubscribe();
        subscriberCount -= 1;
        if (subscriberCount === 0) void stop();
      };
    },
    close: stop,
  };
}

/** Each server stores in the order of arrival, so a poll continues after the last document seen of each server. */
async function pollStore(store: Store, notify: StoredNotifications['notify'], signal: AbortSignal): Promise<void> {
  const subscribedUs = Date.now() * 1000;
  const lastSeqs = new Map<number, number>();
  /** Rows that a later poll may repeat, by their keys. */
  let seen = new Map<string, StoredRow>();
  let lateAtMs = performance.now() + LATE_POLL_MS;
  while (!signal.aborted) {
    const startedMs = performance.now();
    const isLate = startedMs >= lateAtMs;
    let restMs = FAILURE_RETRY_MS;
    try {
      const fromUs = Date.now() * 1000 - (isLate ? MAX_STORE_DELAY_US : RECENT_US);
      const rows = await loadNewRows(store, lastSeqs, Math.max(fromUs, subscribedUs - RECENT_US), signal);
      const unseen = rows.filter((row) => !seen.has(rowKey(row)));
      if (unseen.length > 0) notify([...new Set(unseen.map((row) => row.trace_id))]);
      for (const { server, seq } of rows) lastSeqs.set(server, Math.max(seq, lastSeqs.get(server) ?? 0));
      for (const row of unseen) seen.set(rowKey(row), row);
      seen = new Map([...seen].filter(([, { server, seq }]) => seq > (lastSeqs.get(server) ?? 0) - MAX_REORDER_US));
      if (isLate) lateAtMs = performance.now() + LATE_POLL_MS;
      restMs = Math.max(POLL_INTERVAL_MS, MIN_REST_FACTOR * (performance.now() - startedMs));
    } catch {
      // Ignored: foreground queries report the same failure.
    }
    await delay(restMs, undefined, { signal }).catch(() => undefined);
  }
}

const rowKey = ({ trace_id, seq, server }: StoredRow): string => `${trace_id}/${seq}/${server}`;

/**
 * Rows that other servers have stored since the last poll, and again those of the last MAX_REORDER_US. Of a server
 * that is not in `lastSeqs`, those after `fromUs`.
 */
async function loadNewRows(
  store: Store,
  lastSeqs: ReadonlyMap<number, number>,
  fromUs: number,
  signal: AbortSignal,
): Promise<readonly StoredRow[]> {
  const recent = [...lastSeqs].filter(([, seq]) => seq - MAX_REORDER_US > fromUs);
  const servers = [store.serverNumber, ...recent.map(([server]) => server)];
  const seqs = [Number.MAX_SAFE_INTEGER, ...recent.map(([, seq]) => seq - MAX_REORDER_US)];
  return store.query<StoredRow>(
    sql`
      SELECT lower(hex(trace_id)) AS trace_id, seq, server FROM documents
      WHERE seq > ${fromUs}
        AND seq > transform(server, ${sql.typed(servers, 'Array(UInt64)')}, ${sql.typed(seqs, 'Array(UInt64)')}, ${sql.typed(fromUs, 'UInt64')})`,
    // An unreachable shard must not stop the notifications of the others.
    { signal, onIncomplete: () => undefined },
  );
}
