import type { TraceId } from '../../model/trace-id.ts';
import { readObject, replaceObject } from '../../store/objects.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { SUMMARY_PROGRESS as PROGRESS } from '../../store/summary-progress.ts';

/** Up to where `trace_summaries` can be read instead of documents. */
export type SummaryState = {
  /** All documents through this `seq` are in the rows of their traces, if `isFilled`. */
  readonly rollUpWatermark: number;
  /** All documents before this time are deleted: rows may cover some of them. 0 while none is. */
  readonly droppedBeforeUs: number;
  /** Whether traces that were rolled up before there were rows have got theirs. */
  readonly isFilled: boolean;
};

/** How far the rows of older traces are written: through `after`, in the order of ids. Stored as JSON. */
export type FillProgress = { readonly after: TraceId; readonly isDone: boolean };

/** Read it before the documents and rows that it is used for. */
export async function readSummaryState(store: Store, options: QueryOptions): Promise<SummaryState> {
  // A union takes less time than a subquery for each column.
  const rows = await store.query<{ kind: string; latest: string; highest: number }>(
    sql`
      SELECT 'watermark' AS kind, '' AS latest, max(batch) AS highest FROM service_map WHERE period_s = 0
      UNION ALL
      SELECT toString(kind), argMax(body, version), max(toUInt64OrZero(body)) FROM objects
      WHERE (kind = ${PROGRESS.kind} AND name = ${PROGRESS.name}) OR (kind = 'retention' AND name = 'pruned-before-us')
      GROUP BY kind`,
    options,
  );
  const byKind = new Map(rows.map((row) => [row.kind, row]));
  const filled = byKind.get(PROGRESS.kind)?.latest;
  const progress: FillProgress | undefined = filled ? JSON.parse(filled) : undefined;
  return {
    rollUpWatermark: byKind.get('watermark')?.highest ?? 0,
    droppedBeforeUs: byKind.get('retention')?.highest ?? 0,
    isFilled: progress?.isDone ?? false,
  };
}

export async function readFillProgress(store: Store): Promise<FillProgress | undefined> {
  const stored = await readObject(store, PROGRESS);
  return stored?.body === undefined ? undefined : JSON.parse(stored.body);
}

/** Of several servers, another one may have written its own progress first. */
export async function writeFillProgress(store: Store, progress: FillProgress): Promise<void> {
  await replaceObject(store, PROGRESS, await readObject(store, PROGRESS), JSON.stringify(progress));
}

/** For a store that has no rolled-up documents yet. */
export async function markFilled(store: Store): Promise<void> {
  if (!(await readFillProgress(store))?.isDone) await writeFillProgress(store, { after: LAST_ID, isDone: true });
}

const LAST_ID = 'f'.repeat(32) as TraceId;
