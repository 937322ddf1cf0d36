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

type CachedTrace = AssembledTrace & { readonly key: string; readonly characters: number };
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

/**
 * The traces as far as they have arrived, in no order; unknown ids are left out. Of a trace that has not changed since
 * it was assembled it reads no document, only their number.
 */
export async function* assembledGroups(
  store: Store,
  traceIds: readonly TraceId[],
  { isPartWanted, ...options }: Omit<LoadOptions, 'where'>,
): AsyncGenerator<AssembledGroup> {
  const cache = cacheByStore.get(store.query) ?? { traces: new Map(), characters: 0 };
  cacheByStore.set(store.query, cache);
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
      if (!exceeding.has(id)) keep(store, cache, { trace, documents: ofTrace });
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
  const known = new Map<TraceId, CachedTrace>();
  for (const id of traceIds) {
    const cached = traces.get(id);
    if (cached !== undefined) known.set(id, cached);
  }
  if (known.size === 0) return known;
  const sizes = await readTraceSizes(store, { traceIds: [...known.keys()] }, options);
  return new Map(
    [...known].filter(([id, { key }]) => {
      const size = sizes.get(id);
      return size !== undefined && keyOf(store, size) === key;
    }),
  );
}

function keep(store: Store, cache: TraceCache, { trace, documents }: AssembledTrace): void {
  const characters = documents.reduce((sum, { text }) => sum + text.length, 0);
  const lastSeq = documents.reduce((last, { seq }) => Math.max(last, seq), 0);
  const bytes = documents.reduce((sum, document) => sum + bodyBytesOf(document), 0);
  const key = keyOf(store, { documents: documents.length, bytes, lastSeq });
  drop(cache, trace.id);
  cache.traces.set(trace.id, { trace, documents, key, characters });
  cache.characters += characters;
  for (const oldest of cache.traces.keys()) {
    if (cache.characters <= MAX_CHARACTERS) break;
    drop(cache, oldest);
  }
}

function drop(cache: TraceCache, id: TraceId): void {
  cache.characters -= cache.traces.get(id)?.characters ?? 0;
  cache.traces.delete(id);
}
