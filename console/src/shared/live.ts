import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** What the server says when something was stored; at most 100 of the trace ids. */
export type Received = { readonly documents: number; readonly traceIds: readonly string[]; readonly atUs: number };

/** `streaming`: told by the server; `polling`: it has no event stream or lost it, so ask every few seconds. */
export type LiveState = 'off' | 'connecting' | 'streaming' | 'polling';

/** Mark of queries that follow what arrives: `meta: { live: true }`. */
export const LIVE = { live: true } as const;

const POLL_MS = 5000;
/** The stream speaks twice a second under load; pages read anew at most this often. */
const REFETCH_EVERY_MS = 1500;

/**
 * Keeps every `LIVE` query on screen fresh while `isOn`. One instance for the whole console.
 * The browser reconnects the event stream by itself; until it is back the console polls.
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
    const refetch = atMostEvery(REFETCH_EVERY_MS, () => {
      if (document.visibilityState === 'hidden') return;
      void queries.invalidateQueries({ predicate: (query) => query.meta?.['live'] === true });
    });
    let poll: ReturnType<typeof setInterval> | undefined;
    const stopPolling = () => {
      clearInterval(poll);
      poll = undefined;
    };

    const events = new EventSource('/events');
    events.addEventListener('open', () => {
      // What came while nobody listened.
      if (poll !== undefined) refetch.run();
      stopPolling();
      setState('streaming');
    });
    events.addEventListener('received', () => refetch.run());
    events.addEventListener('error', () => {
      setState('polling');
      poll ??= setInterval(() => refetch.run(), POLL_MS);
    });
    document.addEventListener('visibilitychange', refetch.run);
    return () => {
      document.removeEventListener('visibilitychange', refetch.run);
      events.close();
      stopPolling();
      refetch.cancel();
    };
  }, [isOn, queries]);

  return state;
}

/** Runs at once, then again at the end of each interval in which it was asked for. */
export function atMostEvery(intervalMs: number, action: () => void): { readonly run: () => void; readonly cancel: () => void } {
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
