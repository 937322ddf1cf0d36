import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';

/** The roll-up watermark, and the traces with documents after it. */
export type ChangedTraces = { readonly rollUpWatermark: number; readonly traceIds: readonly TraceId[] };

/** Of each store, with the version of its content for which it holds. */
const lastRead = new WeakMap<Store['query'], ChangedTraces & { readonly contentVersion: string }>();

/** Without a query while the content of the store does not change. */
export async function readChangedTraces(store: Store, options: QueryOptions): Promise<ChangedTraces> {
  const contentVersion = store.contentVersion();
  const last = lastRead.get(store.query);
  if (last !== undefined && last.contentVersion === contentVersion) return last;
  const changed = await changedTracesAfter(store, await readRollUpWatermark(store, options), options);
  if (contentVersion !== undefined) lastRead.set(store.query, { ...changed, contentVersion });
  return changed;
}

export async function changedTracesAfter(
  store: Store,
  rollUpWatermark: number,
  options: QueryOptions,
): Promise<ChangedTraces> {
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM documents WHERE seq > ${rollUpWatermark}`,
    options,
  );
  return { rollUpWatermark, traceIds: rows.map((row) => row.trace_id) };
}
