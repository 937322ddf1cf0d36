import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { documentGroups } from '../traces/load-traces.ts';
import { readFillProgress, readSummaryState, writeFillProgress } from '../traces/summary-state.ts';
import { newSummaryChanges } from './summary-changes.ts';
import type { TraceState } from './trace-changes.ts';
import { contributionOf, NO_CONTRIBUTION } from './trace-contribution.ts';

const TRACES_PER_STEP = 2_000;
const FIRST_ID = '0'.repeat(32) as TraceId;

export type FillOptions = QueryOptions & {
  readonly tracesPerStep?: number;
  /** Called between steps of work that each hold up the process for some milliseconds. */
  readonly pause?: () => Promise<void>;
};

/**
 * Writes the rows of traces that were rolled up without them: by a version of openray that had no rows, or since a
 * damaged part of them was detached. One step does the next traces, in the order of their ids. Returns how many it
 * did; undefined when all have their rows. Do not call it while documents are rolled up.
 */
export async function fillSummaries(
  store: Store,
  { tracesPerStep = TRACES_PER_STEP, pause, ...options }: FillOptions = {},
): Promise<number | undefined> {
  const progress = await readFillProgress(store);
  if (progress?.isDone) return undefined;
  const { rollUpWatermark } = await readSummaryState(store, options);
  const after = progress?.after ?? FIRST_ID;
  const ids = rollUpWatermark === 0 ? [] : await nextTraceIds(store, after, tracesPerStep, options);
  const summaries = newSummaryChanges(rollUpWatermark);
  const loadOptions = {
    ...options,
    where: sql`seq <= ${rollUpWatermark}`,
    isPartWanted: () => false,
  };
  for await (const { documents, exceeding } of documentGroups(store, ids, loadOptions)) {
    for (const [id, part] of exceeding) summaries.addExceeding(id, part);
    for (const [id, ofTrace] of documents) {
      summaries.add({ id, before: NO_STATE, after: stateOf(ofTrace), documents: ofTrace });
      await pause?.();
    }
  }
  await summaries.insert(store, `filled/${after}/${ids.at(-1)}/${rollUpWatermark}`, options);
  await writeFillProgress(store, { after: ids.at(-1) ?? after, isDone: ids.length < tracesPerStep });
  return ids.length;
}

/** Traces that have no row yet, at most. */
export async function countUnfilled(store: Store, options: QueryOptions): Promise<number> {
  const progress = await readFillProgress(store);
  if (progress?.isDone) return 0;
  const [row] = await store.query<{ traces: number }>(
    sql`SELECT uniq(trace_id) AS traces FROM documents WHERE trace_id > unhex(${progress?.after ?? FIRST_ID})`,
    options,
  );
  return row?.traces ?? 0;
}

async function nextTraceIds(
  store: Store,
  after: TraceId,
  limit: number,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id FROM (
        SELECT DISTINCT trace_id AS trace FROM documents WHERE trace_id > unhex(${after}) ORDER BY trace LIMIT ${limit}
      ) ORDER BY trace`,
    options,
  );
  return rows.map((row) => row.trace_id);
}

const NO_STATE: TraceState = { trace: undefined, contribution: NO_CONTRIBUTION };

function stateOf(documents: readonly Document[]): TraceState {
  try {
    const trace = assembleTrace(documents);
    return { trace, contribution: contributionOf(trace, () => undefined) };
  } catch {
    return NO_STATE;
  }
}
