import { setTimeout as delay } from 'node:timers/promises';
import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { subjectOf } from '../../filter/subject.ts';
import { type CompletenessOptions, missingParts } from '../../model/completeness.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { isInScope, type TraceScope } from '../../model/trace-scope.ts';
import type { Store } from '../../store/store.ts';
import { findTraces } from './find-traces.ts';
import { loadTraces } from './load-traces.ts';

type FilterTarget = {
  readonly filter: Filter;
  readonly fromUs: number;
  /** Undefined: all traces. */
  readonly scope: TraceScope | undefined;
};

export type TraceWait = {
  readonly target: { readonly id: TraceId } | FilterTarget;
  /** Undefined: the first part of the trace is enough. */
  readonly completeness: CompletenessOptions | undefined;
  /**
   * No part of a complete trace may have arrived for this long, since a complete trace may have parts that no other
   * part refers to.
   */
  readonly quietMs: number;
  readonly timeoutMs: number;
};

/** The trace as far as it had arrived when the wait ended; undefined when none was found. */
export type WaitResult = {
  readonly trace: Trace | undefined;
  readonly isFound: boolean;
  readonly missing: readonly string[];
};

type Subscribe = (listener: (ids: readonly TraceId[]) => void) => () => void;

/**
 * Waits for a trace, and loads it again whenever the store notifies that a part of it was stored. With a filter, the
 * result is the newest trace that matches and, if `completeness` is given, is complete. Ends early, without a result,
 * when `signal` aborts.
 */
export async function waitForTrace(
  store: Store,
  subscribe: Subscribe,
  { target, completeness, quietMs, timeoutMs }: TraceWait,
  signal: AbortSignal,
): Promise<WaitResult> {
  const notified = new Set<TraceId>();
  let wake = () => {};
  const unsubscribe = subscribe((ids) => {
    for (const id of ids) if (isWanted(id, target)) notified.add(id);
    if (notified.size > 0) wake();
  });
  const timedOut = AbortSignal.timeout(timeoutMs);
  const ended = AbortSignal.any([signal, timedOut]);
  ended.addEventListener('abort', () => wake(), { once: true });
  /**
   * Polls a shared store as well: another server may store a document long after its arrival, and then no notification
   * comes.
   */
  const waitForWake = (resolve: () => void) => {
    const timer = store.isShared ? setTimeout(resolve, POLL_INTERVAL_MS) : undefined;
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  };
  const missingOf = (trace: Trace) => (completeness === undefined ? [] : missingParts(trace, completeness));
  try {
    let nearest: Trace | undefined;
    let candidates = await loadCandidates(store, target);
    for (;;) {
      nearest = candidates[0] ?? nearest;
      const found = candidates.find((trace) => missingOf(trace).length === 0);
      if (found !== undefined) {
        const leftMs = completeness === undefined ? 0 : quietMs - (Date.now() - found.updatedUs / 1000);
        if (leftMs > 0) await delay(leftMs, undefined, { signal: ended }).catch(() => undefined);
        if (!notified.has(found.id) || ended.aborted) return { trace: found, isFound: true, missing: [] };
      }
      if (ended.aborted) return { trace: nearest, isFound: false, missing: nearest ? missingOf(nearest) : [] };
      if (notified.size === 0) await new Promise<void>((resolve) => waitForWake(resolve));
      const ids = [...notified];
      notified.clear();
      candidates =
        ids.length > 0 ? matchingTraces(await loadTraces(store, ids), target) : await loadCandidates(store, target);
    }
  } finally {
    unsubscribe();
  }
}

const MAX_CANDIDATES = 100;
const POLL_INTERVAL_MS = 1000;

function isWanted(id: TraceId, target: TraceWait['target']): boolean {
  if ('id' in target) return target.id === id;
  return target.scope === undefined || isInScope(id, target.scope);
}

/** Newest first. */
async function loadCandidates(store: Store, target: TraceWait['target']): Promise<readonly Trace[]> {
  if ('id' in target) return loadTraces(store, [target.id]);
  const window = { fromUs: target.fromUs, toUs: Number.MAX_SAFE_INTEGER };
  const traces: Trace[] = [];
  for await (const { trace } of findTraces(store, { window, timeRangeType: 'Event', filter: target.filter })) {
    if (isWanted(trace.id, target)) traces.push(trace);
    if (traces.length === MAX_CANDIDATES) break;
  }
  return traces;
}

function matchingTraces(traces: readonly Trace[], target: TraceWait['target']): readonly Trace[] {
  if ('id' in target) return traces;
  return traces.filter((trace) => matches(target.filter, subjectOf(trace))).sort((a, b) => b.updatedUs - a.updatedUs);
}
