import type { Document } from '../../model/entity.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { documentGroups } from './load-traces.ts';

/** Where the next part begins: behind the document `afterSeq` of a trace. */
export type PartPosition = { readonly traceId: TraceId; readonly afterSeq: number };

/** `isWhole`: the documents are all that have arrived. */
export type TracePart = {
  readonly traceId: TraceId;
  readonly documents: readonly Document[];
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
  for await (const { documents, exceeding, isLast } of documentGroups(store, ids, { ...options, where })) {
    const parts = Array.from(documents, ([traceId, ofTrace]) => ({
      traceId,
      documents: ofTrace,
      isWhole: !isContinued && !exceeding.has(traceId),
    }));
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
