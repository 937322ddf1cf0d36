import { type Query, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** What the server says when something was stored; at most 100 of the trace ids. */
export type StoredEvent = { readonly documents: number; readonly traceIds: readonly string[]; readonly atUs: number };

/** `streaming`: told by the server; `polling`: it has no event stream or lost it, so ask every few seconds. */
export type LiveState = 'off' | 'connecting' | 'streaming' | 'polling';

/** Mark of queries that follow what arrives, as their `meta`. */
export const LIVE = { live: true } as const;

/** Mark of a query that concerns one trace and need not be asked anew when others arrive. */
export function liveTrace(traceId: string): { readonly live: true; readonly traceId: string } {
  return { live: true, traceId };
}

const POLL_MS = 5000;
const RECONNECT_MS = 30_000;
/** The stream speaks twice a second under load; pages read anew at most this often. */
const REFETCH_EVERY_MS = 1500;

/** Traces that something arrived of since the last refresh; `any` when the list may be incomplete. */
export type ChangedTraces = 'any' | ReadonlySet<string>;

/**
 * Keeps every live query on screen fresh while `isOn`. One instance for the whole console.
 * A lost event stream is taken up again; until it is back the console polls.
 */
export function useLiveRefresh(isOn: boolean): LiveState {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>('off');

  useEffect(() => {
    if (!isOn) {
      setState('off');
      return;
    }
    setState('connecting');
    let arrived: ChangedTraces = new Set();
    const refetch = atMostEvery(REFETCH_EVERY_MS, () => {
      // What nobody looks at is read when it is looked at again.
      if (document.visibilityState === 'hidden') return;
      const now = arrived;
      arrived = new Set();
      void queries.invalidateQueries({ predicate: (query) => isAffected(query.meta, now) });
    });
    const refetchAll = () => {
      arrived = 'any';
      refetch.run();
    };
    let poll: ReturnType<typeof setInterval> | undefined;
    const stopPolling = () => {
      clearInterval(poll);
      poll = undefined;
    };

    let events: EventSource;
    let reconnect: ReturnType<typeof setTimeout> | undefined;
    const connect = () => {
      events = new EventSource('/events');
      events.addEventListener('open', () => {
        // What came while nobody listened.
        if (poll !== undefined) refetchAll();
        stopPolling();
        setState('streaming');
      });
      events.addEventListener('received', ({ data }: MessageEvent<string>) => {
        arrived = withChangedTraces(arrived, JSON.parse(data) as StoredEvent);
        refetch.run();
      });
      events.addEventListener('error', () => {
        setState('polling');
        poll ??= setInterval(refetchAll, POLL_MS);
        // After a lost connection the browser tries again; after an answer that was no stream it does not.
        if (events.readyState === EventSource.CLOSED) reconnect = setTimeout(connect, RECONNECT_MS);
      });
    };
    connect();
    const onVisible = () => refetch.run();
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      document.removeEventListener('visibilitychange', onVisible);
      events.close();
      clearTimeout(reconnect);
      stopPolling();
      refetch.cancel();
    };
  }, [isOn, queries]);

  return state;
}

/** A message with 100 ids may stand for more traces than it names. */
export function withChangedTraces(before: ChangedTraces, { traceIds }: StoredEvent): ChangedTraces {
  return before === 'any' || traceIds.length >= 100 ? 'any' : new Set([...before, ...traceIds]);
}

/** Whether a query of this `meta` may have another answer now. */
export function isAffected(meta: Query['meta'], arrived: ChangedTraces): boolean {
  if (meta?.live !== true) return false;
  const traceId = meta.traceId;
  return typeof traceId !== 'string' || arrived === 'any' || arrived.has(traceId);
}

/** Runs at once, then again at the end of each interval in which it was asked for. */
export function atMostEvery(
  intervalMs: number,
  action: () => void,
): { readonly run: () => void; readonly cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWanted = false;
  const run = () => {
    if (timer !== undefined) {
      isWanted = true;
      return;
    }
    action();
    timer = setTimeout(() => {
      timer = undefined;
      if (!isWanted) return;
      isWanted = false;
      run();
    }, intervalMs);
  };
  return { run, cancel: () => clearTimeout(timer) };
}
