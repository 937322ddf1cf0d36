import { setImmediate } from 'node:timers';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import { assembleTrace } from '../../model/assemble.ts';
import { type Document, type StoredFormat, storedFormatOf } from '../../model/entity.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Store } from '../../store/store.ts';
import { documentGroups } from './load-traces.ts';

/** A document as it is stored: small, and parsed again where it is needed. */
export type StoredDocument = { readonly format: StoredFormat; readonly text: string };

/** A trace, or its first part, with the documents that it was assembled from. */
export type LoadedTrace = {
  readonly trace: Trace;
  readonly documents: readonly StoredDocument[];
  /** Computed by the first call. */
  readonly subject: () => FilterSubject;
};

/** Loads each version of a trace once for all callers. */
export type SharedTraces = {
  /** The trace with all documents that were stored before the call; undefined for an unknown id. */
  load(id: TraceId): Promise<LoadedTrace | undefined>;
  /** Whether `load` would run a query. */
  isUnknown(id: TraceId): boolean;
  /** Call when documents of these traces were stored. */
  invalidate(ids: readonly TraceId[]): void;
  /** Releases the memory. */
  clear(): void;
};

type Load = {
  readonly id: TraceId;
  readonly loaded: Promise<LoadedTrace | undefined>;
  readonly resolve: (loaded: LoadedTrace | undefined) => void;
  readonly reject: (reason: unknown) => void;
  /** Its query may have read the trace already. */
  hasBegun: boolean;
  bytes: number;
};

/** One query for many small traces costs little more than one for a single trace. */
const MAX_BATCH = 100;
/** While a large trace is read, a second query reads others. */
const MAX_QUERIES = 2;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Requests that wait for a trace anyway can wait for a slow store, too. */
export const WAIT_FLUSH_TIMEOUT_MS = 30_000;
/** Estimated memory of a trace beside the text of its documents, or of an unknown id. */
const OVERHEAD_BYTES = 1000;

/**
 * Keeps loaded traces until they change or memory runs out. On a shared store, where another server may change a trace
 * without a notification, it keeps none: only callers that wait for the same query share a trace.
 */
export function newSharedTraces(store: Store): SharedTraces {
  const known = new Map<TraceId, Load>();
  let keptBytes = 0;
  let waiting: Load[] = [];
  let queries = 0;
  let isScheduled = false;

  function remove(load: Load): void {
    if (known.get(load.id) !== load) return;
    known.delete(load.id);
    keptBytes -= load.bytes;
  }

  function keep(load: Load, loaded: LoadedTrace | undefined): void {
    if (known.get(load.id) !== load) return;
    load.bytes = (loaded?.documents ?? []).reduce((sum, { text }) => sum + text.length, OVERHEAD_BYTES);
    keptBytes += load.bytes;
    for (const oldest of known.values()) {
      if (keptBytes <= MAX_KEPT_BYTES) break;
      remove(oldest);
    }
  }

  /** Requests that arrive together share a query. */
  function scheduleQueries(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      runQueries();
    });
  }

  function runQueries(): void {
    while (queries < MAX_QUERIES && waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      waiting = waiting.slice(MAX_BATCH);
      for (const load of batch) {
        load.hasBegun = true;
        if (store.isShared) remove(load);
      }
      queries += 1;
      void flushAndLoad(store, batch).then(() => {
        queries -= 1;
        runQueries();
      });
    }
  }

  return {
    load(id) {
      const existing = known.get(id);
      if (existing !== undefined) return existing.loaded;
      const load = newLoad(id);
      known.set(id, load);
      load.loaded.then(
        (loaded) => keep(load, loaded),
        () => remove(load),
      );
      waiting.push(load);
      scheduleQueries();
      return load.loaded;
    },
    isUnknown: (id) => !known.has(id),
    invalidate(ids) {
      for (const id of ids) {
        const load = known.get(id);
        if (load?.hasBegun) remove(load);
      }
    },
    clear() {
      known.clear();
      keptBytes = 0;
    },
  };
}

function newLoad(id: TraceId): Load {
  let resolve: Load['resolve'] = () => undefined;
  let reject: Load['reject'] = () => undefined;
  const loaded = new Promise<LoadedTrace | undefined>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { id, loaded, resolve, reject, hasBegun: false, bytes: 0 };
}

/** A notification of a document may come before its insert. */
async function flushAndLoad(store: Store, batch: readonly Load[]): Promise<void> {
  try {
    await store.flush({ timeoutMs: WAIT_FLUSH_TIMEOUT_MS });
  } catch (reason) {
    for (const { reject } of batch) reject(reason);
    return;
  }
  await loadBatch(store, batch);
}

/** Settles every load; a trace that exceeds the bounds of a query fails alone. */
async function loadBatch(store: Store, batch: readonly Load[]): Promise<void> {
  const waiting = new Map(batch.map((load) => [load.id, load]));
  try {
    for await (const { documents } of documentGroups(store, [...waiting.keys()])) {
      for (const [id, ofTrace] of documents) {
        settle(waiting.get(id), ofTrace);
        waiting.delete(id);
      }
    }
  } catch (reason) {
    const [only, ...others] = waiting.values();
    if (others.length === 0) {
      only?.reject(reason);
      return;
    }
    const left = [...waiting.values()];
    const middle = Math.ceil(left.length / 2);
    await loadBatch(store, left.slice(0, middle));
    await loadBatch(store, left.slice(middle));
    return;
  }
  for (const { resolve } of waiting.values()) resolve(undefined);
}

function settle(load: Load | undefined, documents: readonly Document[]): void {
  try {
    load?.resolve(loadedTrace(documents));
  } catch (reason) {
    load?.reject(reason);
  }
}

function loadedTrace(documents: readonly Document[]): LoadedTrace | undefined {
  const trace = assembleTrace(documents);
  if (trace === undefined) return undefined;
  const stored = documents.map((document) => ({ format: storedFormatOf(document), text: document.text }));
  let subject: FilterSubject | undefined;
  return {
    trace,
    documents: stored,
    subject() {
      subject ??= subjectOf(trace);
      return subject;
    },
  };
}
