import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { bodyBytesOf } from '../../store/body-bytes.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { documentGroups, type LoadOptions } from './load-traces.ts';
import { type FirstPart, readTraceSizes, type TraceSize } from './trace-sizes.ts';

/** A trace, or its first part, with the documents that it was assembled from. */
export type AssembledTrace = { readonly trace: Trace; readonly documents: readonly Document[] };

export type AssembledGroup = {
  readonly traces: readonly AssembledTrace[];
  /** Traces that exceed the bounds: `traces` has their first part, or nothing. */
  readonly exceeding: ReadonlyMap<TraceId, FirstPart>;
};

type CachedTrace = AssembledTrace & {
  readonly key: string;
  readonly characters: number;
  /** The version of the store's content for which the trace is known to be this one. */
  contentVersion: string | undefined;
};
type TraceCache = { readonly traces: Map<TraceId, CachedTrace>; characters: number };

/** Of the texts of the documents, kept for each store. A parsed document takes about six times its text. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

const cacheByStore = new WeakMap<Store['query'], TraceCache>();

/**
 * Every way in which a trace may change: servers add documents, also with an equal or lower `seq` than the last one,
 * and retention rules delete some of them.
 */
function keyOf(store: Store, { documents, bytes, lastSeq }: Omit<TraceSize, 'hasRepeats'>): string {
  return JSON.stringify([documents, bytes, lastSeq, store.statistics().prunedBeforeUs]);
}

function cacheOf(store: Store): TraceCache {
  const cache = cacheByStore.get(store.query) ?? { traces: new Map(), characters: 0 };
  cacheByStore.set(store.query, cache);
  return cache;
}

/** All of the traces, in the order of their ids, if each is cached and unchanged. Without a query while nothing arrives. */
export async function cachedTraces(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<readonly AssembledTrace[] | undefined> {
  const cache = cacheOf(store);
  if (!traceIds.every((id) => cache.traces.has(id))) return undefined;
  const unchanged = await unchangedTraces(store, cache, traceIds, options);
  return unchanged.size < traceIds.length ? undefined : traceIds.flatMap((id) => unchanged.get(id) ?? []);
}

/** Caches whole traces that were read since the store had this `contentVersion`. */
export function cacheTraces(store: Store, traces: readonly AssembledTrace[], contentVersion: string | undefined): void {
  for (const one of traces) keep(store, cacheOf(store), one, contentVersion);
}

/**
 * The traces as far as they have arrived, in no order; unknown ids are left out. Of a trace that has not changed since
 * it was assembled it reads no document, only their number; and nothing while no document arrives at an embedded store.
 */
export async function* assembledGroups(
  store: Store,
  traceIds: readonly TraceId[],
  { isPartWanted, ...options }: Omit<LoadOptions, 'where'>,
): AsyncGenerator<AssembledGroup> {
  const cache = cacheOf(store);
  const contentVersion = store.contentVersion();
  const unchanged = await unchangedTraces(store, cache, traceIds, options);
  if (unchanged.size > 0) yield { traces: [...unchanged.values()], exceeding: new Map() };
  const changed = traceIds.filter((id) => !unchanged.has(id));
  for await (const { documents, exceeding } of documentGroups(store, changed, {
    ...options,
    ...(isPartWanted && { isPartWanted }),
  })) {
    const traces: AssembledTrace[] = [];
    for (const [id, ofTrace] of documents) {
      const trace = assembleTrace(ofTrace);
      if (trace === undefined) continue;
      traces.push({ trace, documents: ofTrace });
      if (!exceeding.has(id)) keep(store, cache, { trace, documents: ofTrace }, contentVersion);
    }
    yield { traces, exceeding };
  }
}

async function unchangedTraces(
  store: Store,
  { traces }: TraceCache,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, AssembledTrace>> {
  const contentVersion = store.contentVersion();
  const unchanged = new Map<TraceId, CachedTrace>();
  const unsure = new Map<TraceId, CachedTrace>();
  for (const id of traceIds) {
    const cached = traces.get(id);
    if (cached === undefined) continue;
    const isSure = contentVersion !== undefined && cached.contentVersion === contentVersion;
    (isSure ? unchanged : unsure).set(id, cached);
  }
  if (unsure.size === 0) return unchanged;
  const sizes = await readTraceSizes(store, { traceIds: [...unsure.keys()] }, options);
  for (const [id, cached] of unsure) {
    const size = sizes.get(id);
    if (size === undefined || keyOf(store, size) !== cached.key) continue;
    cached.contentVersion = contentVersion;
    unchanged.set(id, cached);
  }
  return unchanged;
}

function keep(
  store: Store,
  cache: TraceCache,
  { trace, documents }: AssembledTrace,
  contentVersion: string | undefined,
): void {
  const characters = documents.reduce((sum, { text }) => sum + text.length, 0);
  const lastSeq = documents.reduce((last, { seq }) => Math.max(last, seq), 0);
  const bytes = documents.reduce((sum, document) => sum + bodyBytesOf(document), 0);
  const key = keyOf(store, { documents: documents.length, bytes, lastSeq });
  drop(cache, trace.id);
  cache.traces.set(trace.id, { trace, documents, key, characters, contentVersion });
  cache.characters += characters;
  for (const oldest of cache.traces.keys()) {
    if (cache.characters <= MAX_CHARACTERS) break;
    drop(cache, oldest);
  }
}

/**
 * As `assembledGroups`, for the traces of one response: all at once, in the order of `traceIds`. `firstPart` is defined
 * for a trace that exceeds the bounds.
 */
export async function loadAssembledTraces(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<readonly (AssembledTrace & { readonly firstPart: FirstPart | undefined })[]> {
  const found = new Map<TraceId, AssembledTrace & { readonly firstPart: FirstPart | undefined }>();
  for await (const { traces, exceeding } of assembledGroups(store, traceIds, options)) {
    for (const one of traces) found.set(one.trace.id, { ...one, firstPart: exceeding.get(one.trace.id) });
  }
  return traceIds.flatMap((id) => found.get(id) ?? []);
}

function drop(cache: TraceCache, id: TraceId): void {
  cache.characters -= cache.traces.get(id)?.characters ?? 0;
  cache.traces.delete(id);
}
