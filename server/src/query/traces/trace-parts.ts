import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { documentGroups } from './load-traces.ts';
import { cachedTraces, cacheTraces } from './trace-cache.ts';

/** Where the next part begins: behind the document `afterSeq` of a trace. */
export type PartPosition = { readonly traceId: TraceId; readonly afterSeq: number };

/** `isWhole`: the documents are all that have arrived. */
export type TracePart = {
  readonly traceId: TraceId;
  readonly documents: readonly Document[];
  /** Assembled from the documents; undefined if they have no entity. */
  readonly trace: Trace | undefined;
  readonly isWhole: boolean;
};

/** Before the first document of a trace. */
const BEGINNING = -1;

/**
 * Traces in the order of `traceIds`, as many as fit into the bounds, or a part of one that does not fit: its documents
 * in the order of their arrival. `next` is undefined on the last page. Unknown ids are left out.
 */
export async function loadTraceParts(
  store: Store,
  traceIds: readonly TraceId[],
  from: PartPosition | undefined,
  options: QueryOptions,
): Promise<{ readonly parts: readonly TracePart[]; readonly next: PartPosition | undefined }> {
  const rest = from === undefined ? traceIds : traceIds.slice(traceIds.indexOf(from.traceId));
  const isContinued = from !== undefined && from.afterSeq !== BEGINNING;
  const ids = isContinued ? rest.slice(0, 1) : rest;
  const where = isContinued ? sql`seq > ${from.afterSeq}` : undefined;
  const afterAll = isContinued ? rest[1] : undefined;
  if (from === undefined) {
    const cached = await cachedTraces(store, ids, options);
    if (cached !== undefined) {
      return { parts: cached.map((one) => ({ traceId: one.trace.id, ...one, isWhole: true })), next: undefined };
    }
  }
  const contentVersion = store.contentVersion();
  for await (const { documents, exceeding, isLast } of documentGroups(store, ids, { ...options, where })) {
    const parts = Array.from(documents, ([traceId, ofTrace]) => ({
      traceId,
      documents: ofTrace,
      trace: assembleTrace(ofTrace),
      isWhole: !isContinued && !exceeding.has(traceId),
    }));
    const whole = parts.flatMap(({ trace, documents: own, isWhole }) =>
      isWhole && trace !== undefined ? [{ trace, documents: own }] : [],
    );
    cacheTraces(store, whole, contentVersion);
    const last = parts.at(-1)?.traceId;
    const part = last === undefined ? undefined : exceeding.get(last);
    if (last !== undefined && part !== undefined) {
      return { parts, next: { traceId: last, afterSeq: part.throughSeq } };
    }
    const following = isLast ? afterAll : last && ids[ids.indexOf(last) + 1];
    return { parts, next: following && { traceId: following, afterSeq: BEGINNING } };
  }
  return { parts: [], next: afterAll && { traceId: afterAll, afterSeq: BEGINNING } };
}
