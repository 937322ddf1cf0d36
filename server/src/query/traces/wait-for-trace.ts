import { setTimeout as delay } from 'node:timers/promises';
import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { subjectOf } from '../../filter/subject.ts';
import { type CompletenessOptions, missingParts } from '../../model/completeness.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Store } from '../../store/store.ts';
import { findTraces } from './find-traces.ts';
import { loadTraces } from './load-traces.ts';

export type TraceWait = {
  readonly target: { readonly id: TraceId } | { readonly filter: Filter; readonly fromUs: number };
  /** Undefined takes the trace as soon as it is there, however little of it. */
  readonly completeness: CompletenessOptions | undefined;
  /** A complete trace must have been quiet for this long: parts that nothing refers to come without notice. */
  readonly quietMs: number;
  readonly timeoutMs: number;
};

/** The trace as far as it has arrived when the wait was over; undefined when none was found. */
export type WaitResult = {
  readonly trace: Trace | undefined;
  readonly isFound: boolean;
  readonly missing: readonly string[];
};

type Subscribe = (listener: (ids: readonly TraceId[]) => void) => () => void;

/**
 * Waits for a trace, woken by arrivals: it is looked at again whenever a part of it has been stored. By filter, the
 * newest trace counts that matches and, when asked for, is complete. Ends early, without a result, when `signal` fires.
 */
export async function waitForTrace(
  store: Store,
  subscribe: Subscribe,
  { target: which, completeness: complete, quietMs, timeoutMs }: TraceWait,
  signal: AbortSignal,
): Promise<WaitResult> {
  const arrived = new Set<TraceId>();
  let wake = () => {};
  const unsubscribe = subscribe((ids) => {
    for (const id of ids) if ('filter' in which || which.id === id) arrived.add(id);
    if (arrived.size > 0) wake();
  });
  const timedOut = AbortSignal.timeout(timeoutMs);
  const over = AbortSignal.any([signal, timedOut]);
  over.addEventListener('abort', () => wake(), { once: true });
  /** What another server of the same store took long ago and stores only now is told to nobody here. */
  const wakeLater = (resolve: () => void) => {
    const timer = setTimeout(resolve, POLL_INTERVAL_MS);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  };
  const missingOf = (trace: Trace) => (complete === undefined ? [] : missingParts(trace, complete));
  try {
    let nearest: Trace | undefined;
    let candidates = await loadCandidates(store, which);
    for (;;) {
      nearest = candidates[0] ?? nearest;
      const found = candidates.find((trace) => missingOf(trace).length === 0);
      if (found !== undefined) {
        const leftMs = complete === undefined ? 0 : quietMs - (Date.now() - found.updatedUs / 1000);
        if (leftMs > 0) await delay(leftMs, undefined, { signal: over }).catch(() => undefined);
        if (!arrived.has(found.id) || over.aborted) return { trace: found, isFound: true, missing: [] };
      }
      if (over.aborted) return { trace: nearest, isFound: false, missing: nearest ? missingOf(nearest) : [] };
      if (arrived.size === 0) await new Promise<void>((resolve) => wakeLater(resolve));
      const ids = [...arrived];
      arrived.clear();
      candidates =
        ids.length > 0 ? matchingTraces(await loadTraces(store, ids), which) : await loadCandidates(store, which);
    }
  } finally {
    unsubscribe();
  }
}

const MAX_CANDIDATES = 100;
const POLL_INTERVAL_MS = 1000;

/** Newest first. */
async function loadCandidates(store: Store, which: TraceWait['target']): Promise<readonly Trace[]> {
  if ('id' in which) return loadTraces(store, [which.id]);
  const window = { fromUs: which.fromUs, toUs: Number.MAX_SAFE_INTEGER };
  const traces: Trace[] = [];
  for await (const { trace } of findTraces(store, { window, timeRangeType: 'Event', filter: which.filter })) {
    traces.push(trace);
    if (traces.length === MAX_CANDIDATES) break;
  }
  return traces;
}

function matchingTraces(traces: readonly Trace[], which: TraceWait['target']): readonly Trace[] {
  if ('id' in which) return traces;
  return traces.filter((trace) => matches(which.filter, subjectOf(trace))).sort((a, b) => b.updatedUs - a.updatedUs);
}
