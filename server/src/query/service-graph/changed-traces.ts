import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { newKeptResult } from '../traces/kept-result.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';

/** The roll-up watermark, and the traces with documents after it. */
export type ChangedTraces = { readonly rollUpWatermark: number; readonly traceIds: readonly TraceId[] };

const kept = newKeptResult<ChangedTraces>();

/** As `readChangedTraces`, undefined where that takes a query. */
export const knownChangedTraces = (store: Store): ChangedTraces | undefined => kept.of(store);

/** Without a query while the content of the store does not change. */
export async function readChangedTraces(store: Store, options: QueryOptions): Promise<ChangedTraces> {
  const known = knownChangedTraces(store);
  if (known !== undefined) return known;
  const contentVersion = store.contentVersion();
  const changed = await changedTracesAfter(store, await readRollUpWatermark(store, options), options);
  kept.keep(store, contentVersion, changed);
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
