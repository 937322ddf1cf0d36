import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import { matches } from '../../filter/matches.ts';
import { type CompletenessOptions, missingParts } from '../../model/completeness.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { isInScope, type TraceScope } from '../../model/trace-scope.ts';
import type { Store } from '../../store/store.ts';
import { findTraces } from './find-traces.ts';
import {
  type LoadedTrace,
  newSharedTraces,
  type SharedTraces,
  type StoredDocument,
  WAIT_FLUSH_TIMEOUT_MS,
} from './shared-traces.ts';
import { compareSortKeys, isInWindow, listOrder, sortKeyOf } from './sort-key.ts';
import { newUpdatedTraces } from './updated-traces.ts';

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
  readonly documents: readonly StoredDocument[];
  readonly isFound: boolean;
  readonly missing: readonly string[];
};

type Subscribe = (listener: (ids: readonly TraceId[]) => void) => () => void;

/** All requests of a server that wait for traces. */
export type TraceWaits = {
  /**
   * Waits for a trace, and looks at it again whenever a part of it was stored. With a filter, the result is the newest
   * trace that matches and, if `completeness` is given, is complete. Ends early, without a result, when `signal` aborts.
   * Throws ThrottledException when too many requests wait, ServiceUnavailable when the server stops.
   */
  wait(wait: TraceWait, signal: AbortSignal): Promise<WaitResult>;
  /** Ends all waits. */
  close(): void;
};

const MAX_WAITS = 10_000;
/** Traces since the start of the server that are known by id. */
const MAX_RECENT = 10_000;
/** More candidates than this are searched in the store, where a filter finds them by its indexes. */
const MAX_RECENT_CANDIDATES = 5_000;
/** The same for candidates that would have to be loaded. */
const MAX_RECENT_LOADS = 500;
/** Candidates that are looked at before older ones. */
const RECENT_BATCH = 100;
/** Loaded traces stay for tests that run one after the other. */
const RELEASE_AFTER_MS = 10_000;
const MAX_CANDIDATES = 100;
/** Pause between two polls of a shared store, at least, and as a multiple of the duration of the last one. */
const POLL_INTERVAL_MS = 1000;
const POLL_REST_FACTOR = 10;

/**
 * The waits share what the store costs: each version of a trace is loaded once, and traces that have arrived since the
 * server started are known by id, so that most filters search no index.
 */
export function newTraceWaits(store: Store, subscribe: Subscribe): TraceWaits {
  const traces = newSharedTraces(store);
  const updated = store.isShared ? undefined : newUpdatedTraces(store.lastSeq, MAX_RECENT);
  const listeners = new Set<(ids: readonly TraceId[]) => void>();
  const onStored = (ids: readonly TraceId[]) => {
    updated?.add(ids);
    traces.invalidate(ids);
    for (const listener of listeners) listener(ids);
  };
  // Notifications of a shared store poll it while there is a subscription.
  let unsubscribe = store.isShared ? undefined : subscribe(onStored);
  let release: NodeJS.Timeout | undefined;
  const closing = new AbortController();

  function addListener(listener: (ids: readonly TraceId[]) => void): () => void {
    if (listeners.size >= MAX_WAITS) {
      throw new OpenrayError('ThrottledException', `${MAX_WAITS} requests wait for traces already; try again later`);
    }
    listeners.add(listener);
    clearTimeout(release);
    unsubscribe ??= subscribe(onStored);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      if (store.isShared) stop();
      release = setTimeout(traces.clear, RELEASE_AFTER_MS).unref();
    };
  }

  function stop(): void {
    unsubscribe?.();
    unsubscribe = undefined;
    clearTimeout(release);
  }

  async function findCandidates(
    target: TraceWait['target'],
    isFound: (candidate: LoadedTrace) => boolean,
  ): Promise<readonly LoadedTrace[]> {
    if ('id' in target) return loadMatching(traces, [target.id], target);
    const recent = updated?.since(target.fromUs, (id) => isWanted(id, target));
    if (recent === undefined || isTooMany(recent)) return searchStore(store, traces, target);
    const window = windowOf(target);
    // The order of a filter may put any trace first.
    const batch = target.filter.order === undefined ? RECENT_BATCH : recent.length;
    const candidates: LoadedTrace[] = [];
    for (let first = 0; first < recent.length && !candidates.some(isFound); first += batch) {
      const matching = await loadMatching(traces, recent.slice(first, first + batch), target);
      candidates.push(...matching.filter(({ trace }) => isInWindow(trace, 'Event', window)));
    }
    return candidates;
  }

  function isTooMany(ids: readonly TraceId[]): boolean {
    return ids.length > MAX_RECENT_CANDIDATES || ids.filter(traces.isUnknown).length > MAX_RECENT_LOADS;
  }

  return {
    async wait(wait, signal) {
      const changes = newChanges(wait.target);
      const removeListener = addListener(changes.add);
      try {
        const ended = AbortSignal.any([signal, closing.signal]);
        const result = await waitForTrace(wait, ended, { traces, findCandidates, changes, isPolling: store.isShared });
        if (!result.isFound && closing.signal.aborted) {
          throw new OpenrayError('ServiceUnavailable', 'the server stops before the trace is complete');
        }
        return result;
      } finally {
        removeListener();
      }
    },
    close() {
      closing.abort();
      stop();
    },
  };
}

type WaitContext = {
  readonly traces: SharedTraces;
  /**
   * Traces that may be the target, of those that were stored before the call: all of them, or the newest up to one that
   * is found.
   */
  readonly findCandidates: (
    target: TraceWait['target'],
    isFound: (candidate: LoadedTrace) => boolean,
  ) => Promise<readonly LoadedTrace[]>;
  readonly changes: Changes;
  /** Another server may store a document long after its arrival, and then no notification comes. */
  readonly isPolling: boolean;
};

async function waitForTrace(
  { target, completeness, quietMs, timeoutMs }: TraceWait,
  signal: AbortSignal,
  { traces, findCandidates, changes, isPolling }: WaitContext,
): Promise<WaitResult> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  ended.addEventListener('abort', changes.wake, { once: true });
  const missingOf = ({ trace }: LoadedTrace) => (completeness === undefined ? [] : missingParts(trace, completeness));
  const isComplete = (candidate: LoadedTrace) => missingOf(candidate).length === 0;
  let nearest: LoadedTrace | undefined;
  let changed: readonly TraceId[] | undefined;
  let pollMs = POLL_INTERVAL_MS;
  for (;;) {
    const beganMs = performance.now();
    const candidates =
      changed === undefined ? await findCandidates(target, isComplete) : await loadMatching(traces, changed, target);
    if (changed === undefined) pollMs = Math.max(POLL_INTERVAL_MS, POLL_REST_FACTOR * (performance.now() - beganMs));
    nearest = candidates[0] ?? nearest;
    const found = candidates.find(isComplete);
    if (found !== undefined) {
      const leftMs = completeness === undefined ? 0 : quietMs - (Date.now() - found.trace.updatedUs / 1000);
      if (leftMs > 0) await delay(leftMs, undefined, { signal: ended }).catch(() => undefined);
      if (!changes.includes(found.trace.id) || ended.aborted) return resultOf(found, true, []);
    }
    if (ended.aborted) return resultOf(nearest, false, nearest ? missingOf(nearest) : []);
    await changes.next(isPolling ? pollMs : undefined);
    changed = changes.take();
    if (changed?.length === 0 && isPolling) changed = undefined;
  }
}

function resultOf(loaded: LoadedTrace | undefined, isFound: boolean, missing: readonly string[]): WaitResult {
  return { trace: loaded?.trace, documents: loaded?.documents ?? [], isFound, missing };
}

/** Traces of which parts were stored since the wait looked last. */
type Changes = {
  add(ids: readonly TraceId[]): void;
  includes(id: TraceId): boolean;
  /** Resolves when there are changes, after `wake`, or after `timeoutMs`. */
  next(timeoutMs: number | undefined): Promise<void>;
  wake(): void;
  /** Removes the changes; undefined when they are too many to be looked at one by one. */
  take(): readonly TraceId[] | undefined;
};

function newChanges(target: TraceWait['target']): Changes {
  const changed = new Set<TraceId>();
  let hasTooMany = false;
  let wake = () => {};
  return {
    add(ids) {
      for (const id of ids) if (isWanted(id, target)) changed.add(id);
      if (changed.size > MAX_RECENT_LOADS) {
        hasTooMany = true;
        changed.clear();
      }
      if (hasTooMany || changed.size > 0) wake();
    },
    includes: (id) => hasTooMany || changed.has(id),
    async next(timeoutMs) {
      if (hasTooMany || changed.size > 0) return;
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    wake: () => wake(),
    take() {
      const ids = hasTooMany ? undefined : [...changed];
      hasTooMany = false;
      changed.clear();
      return ids;
    },
  };
}

function isWanted(id: TraceId, target: TraceWait['target']): boolean {
  if ('id' in target) return target.id === id;
  return target.scope === undefined || isInScope(id, target.scope);
}

const windowOf = ({ fromUs }: FilterTarget) => ({ fromUs, toUs: Number.MAX_SAFE_INTEGER });

/** Candidates from the store's indexes, in the order of the filter. */
async function searchStore(store: Store, traces: SharedTraces, target: FilterTarget): Promise<readonly LoadedTrace[]> {
  const ids: TraceId[] = [];
  await store.flush({ timeoutMs: WAIT_FLUSH_TIMEOUT_MS });
  const query = { window: windowOf(target), timeRangeType: 'Event', filter: target.filter } as const;
  for await (const { summary } of findTraces(store, query)) {
    if (isWanted(summary.id, target)) ids.push(summary.id);
    if (ids.length === MAX_CANDIDATES) break;
  }
  return loadMatching(traces, ids, target);
}

/** The traces that match, in the order of the filter: the newest first by default. */
async function loadMatching(
  traces: SharedTraces,
  ids: readonly TraceId[],
  target: TraceWait['target'],
): Promise<readonly LoadedTrace[]> {
  const loaded = (await Promise.all(ids.map(traces.load))).filter((one) => one !== undefined);
  if ('id' in target) return loaded;
  const order = listOrder(target.filter, 'Event');
  const window = windowOf(target);
  return loaded
    .filter((one) => matches(target.filter, one.subject()))
    .map((one) => ({ one, key: sortKeyOf(one.subject(), order, window) }))
    .sort((a, b) => compareSortKeys(order, a.key, b.key))
    .map(({ one }) => one);
}
