import { setTimeout as delay } from 'node:timers/promises';
import type { TraceId } from '../model/trace-id.ts';
import { sql } from '../store/sql.ts';
import type { Store } from '../store/store.ts';
import { newStoredNotifications, type StoredNotifications } from './stored-notifications.ts';

export type CrossServerNotifications = StoredNotifications & { close(): Promise<void> };

type StoredRow = { readonly trace_id: TraceId; readonly seq: number; readonly server: number };

const POLL_INTERVAL_MS = 50;
/** A look that takes long is not repeated at once: this many times as long as it took at least. */
const MIN_REST_FACTOR = 2;
const FAILURE_RETRY_MS = 1_000;
/** How long a document may take from its arrival into the store. */
const MAX_STORE_DELAY_US = 5_000_000;
/** How far documents of one server may be out of the order of their arrival, and shards apart. */
const MAX_REORDER_US = 200_000;

/**
 * Arrivals at this server, and at all others of a shared store, for which the store is asked as long as anybody listens.
 * Those of others are told of some 50 ms after they are stored; now and then one is told of twice, or, when it took
 * seconds to store, not at all.
 */
export function newCrossServerNotifications(store: Store): CrossServerNotifications {
  const here = newStoredNotifications();
  if (!store.isShared) return { ...here, close: async () => undefined };
  const all = newStoredNotifications();
  here.subscribe(all.notify);
  let listeners = 0;
  let watching: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  function begin(): void {
    const stop = new AbortController();
    watching = { stop, ended: pollStore(store, all.notify, stop.signal) };
  }

  async function end(): Promise<void> {
    const { stop, ended } = watching ?? {};
    watching = undefined;
    stop?.abort();
    await ended;
  }

  return {
    notify: here.notify,
    subscribe(listener) {
      const unsubscribe = all.subscribe(listener);
      listeners += 1;
      if (listeners === 1) begin();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        unsubscribe();
        listeners -= 1;
        if (listeners === 0) void end();
      };
    },
    close: end,
  };
}

/** Each server stores in the order of arrival, so that the last one seen of it tells where to go on. */
async function pollStore(store: Store, announce: StoredNotifications['notify'], signal: AbortSignal): Promise<void> {
  const lastSeqs = new Map<number, number>();
  let told: ReadonlySet<string> = new Set();
  while (!signal.aborted) {
    const began = performance.now();
    let restMs = FAILURE_RETRY_MS;
    try {
      const rows = await loadNewRows(store, lastSeqs, signal);
      const fresh = rows.filter((row) => !told.has(rowKey(row)));
      if (fresh.length > 0) announce([...new Set(fresh.map((row) => row.trace_id))]);
      for (const { server, seq } of rows) lastSeqs.set(server, Math.max(seq, lastSeqs.get(server) ?? 0));
      // All that may come again in the next look came in this one.
      told = new Set(rows.map(rowKey));
      restMs = Math.max(POLL_INTERVAL_MS, MIN_REST_FACTOR * (performance.now() - began));
    } catch {
      // Who asks the store for anything else is told why that fails.
    }
    await delay(restMs, undefined, { signal }).catch(() => undefined);
  }
}

const rowKey = ({ trace_id, seq, server }: StoredRow): string => `${trace_id}/${seq}/${server}`;

/** What other servers have stored since, in part again. */
async function loadNewRows(
  store: Store,
  lastSeqs: ReadonlyMap<number, number>,
  signal: AbortSignal,
): Promise<readonly StoredRow[]> {
  const since = Date.now() * 1000 - MAX_STORE_DELAY_US;
  const recent = [...lastSeqs].filter(([, seq]) => seq - MAX_REORDER_US > since);
  const servers = [store.serverNumber, ...recent.map(([server]) => server)];
  const seqs = [Number.MAX_SAFE_INTEGER, ...recent.map(([, seq]) => seq - MAX_REORDER_US)];
  return store.query<StoredRow>(
    sql`
      SELECT lower(hex(trace_id)) AS trace_id, seq, server FROM documents
      WHERE seq > ${since}
        AND seq > transform(server, ${sql.typed(servers, 'Array(UInt64)')}, ${sql.typed(seqs, 'Array(UInt64)')}, ${sql.typed(since, 'UInt64')})`,
    // A shard that is away keeps nobody from hearing of what the others have.
    { signal, onIncomplete: () => undefined },
  );
}
