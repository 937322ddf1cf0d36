import { type Query, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** The server's event about stored documents; it names at most 100 trace ids. */
export type StoredEvent = { readonly traces: number; readonly traceIds: readonly string[]; readonly atUs: number };

/** `streaming`: the server sends events; `polling`: without an event stream, pages refresh every POLL_MS. */
export type LiveState = 'off' | 'connecting' | 'streaming' | 'polling';

/** `meta` of queries that are fetched again when documents are stored. */
export const LIVE = { live: true } as const;

/** `meta` of a query that is fetched again only when documents of this trace are stored. */
export function liveTrace(traceId: string): { readonly live: true; readonly traceId: string } {
  return { live: true, traceId };
}

const POLL_MS = 5000;
const RECONNECT_MS = 30_000;
/** Under load the stream has two events a second; pages refresh at most once in this time. */
const REFETCH_EVERY_MS = 1500;

/** Traces with new documents since the last refresh; `any` when the list may be incomplete. */
export type ChangedTraces = 'any' | ReadonlySet<string>;

/**
 * Fetches the live queries on screen again when documents are stored, while `isOn`. Used once, by the frame.
 * It polls while the event stream is disconnected, until it is connected again.
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
      // A hidden page refreshes when it becomes visible (`onVisible`).
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
        // Fetch the documents that were stored while the stream was disconnected.
        if (poll !== undefined) refetchAll();
        stopPolling();
        setState('streaming');
      });
      events.addEventListener('stored', ({ data }: MessageEvent<string>) => {
        arrived = withChangedTraces(arrived, JSON.parse(data) as StoredEvent);
        refetch.run();
      });
      events.addEventListener('error', () => {
        setState('polling');
        poll ??= setInterval(refetchAll, POLL_MS);
        // The browser reconnects after a lost connection, but not after a response that is not an event stream.
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

/** An event with 100 ids may be about more traces than it names. */
export function withChangedTraces(before: ChangedTraces, { traceIds }: StoredEvent): ChangedTraces {
  return before === 'any' || traceIds.length >= 100 ? 'any' : new Set([...before, ...traceIds]);
}

/** Whether the result of a query with this `meta` may have changed. */
export function isAffected(meta: Query['meta'], arrived: ChangedTraces): boolean {
  if (meta?.live !== true) return false;
  const traceId = meta.traceId;
  return typeof traceId !== 'string' || arrived === 'any' || arrived.has(traceId);
}

/** Runs `action` at once; calls within the interval after a run cause one more run at its end. */
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
