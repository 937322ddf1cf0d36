import type { TraceId } from '../../model/trace-id.ts';
import { newRollUpBlock } from '../../store/roll-up-rows.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { type MinuteGraphs, periodsOf } from './periods.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';
import { changesOf, consumersOf } from './trace-changes.ts';
import { addToMinuteGraphs } from './trace-contribution.ts';

/** Documents that one batch counts. */
const BATCH_DOCUMENTS = 20_000;

export type RollUpOptions = QueryOptions & {
  /** No documents that arrived later. Everything up to it has to be stored. */
  readonly toSeq: number;
  /** Called between steps of work that each hold up the process for some milliseconds. */
  readonly pause?: () => Promise<void>;
  readonly batchDocuments?: number;
};

/** What a batch has counted: documents after `fromSeq` up to `toSeq`. */
export type RolledUpRange = { readonly fromSeq: number; readonly toSeq: number };

/**
 * Counts the next documents in the sums of the service map: for each trace that they belong to, its graph with them is
 * added and its graph without them taken away, minute by minute; and so for traces that took messages of those, whose
 * links show what their producers are. So it makes no difference how late, how often or in
 * how many parts a trace arrives.
 *
 * A batch goes in as one block that also says up to where it counts: it is there whole, once, or not at all, also when
 * the process ends meanwhile or another server does the same. Undefined when there is nothing to count.
 */
export async function rollUp(
  store: Store,
  { toSeq: latestSeq, pause, batchDocuments = BATCH_DOCUMENTS, ...options }: RollUpOptions,
): Promise<RolledUpRange | undefined> {
  const fromSeq = await readRollUpWatermark(store, options);
  const toSeq = await lastSeqOfBatch(store, { fromSeq, latestSeq, batchDocuments }, options);
  if (toSeq === undefined) return undefined;
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id
      FROM (SELECT DISTINCT trace_id AS trace FROM documents WHERE seq > ${fromSeq} AND seq <= ${toSeq} ORDER BY trace)`,
    options,
  );
  const minutes: MinuteGraphs = new Map();
  const changedIds = rows.map((row) => row.trace_id);
  const takerIds = await consumersOf(store, changedIds, sql`seq <= ${toSeq}`, options);
  const traceIds = [...new Set([...changedIds, ...takerIds])];
  for await (const changes of changesOf(store, traceIds, { fromSeq, toSeq }, options)) {
    for (const { before, after } of changes) {
      if (before === after) continue;
      addToMinuteGraphs(minutes, after, 1);
      addToMinuteGraphs(minutes, before, -1);
    }
    await pause?.();
  }
  const block = newRollUpBlock(fromSeq, toSeq);
  for (const period of periodsOf(minutes)) {
    block.add(period);
    await pause?.();
  }
  await store.insert(block.end());
  store.recent.evict(toSeq);
  return { fromSeq, toSeq };
}

async function lastSeqOfBatch(
  store: Store,
  { fromSeq, latestSeq, batchDocuments }: { fromSeq: number; latestSeq: number; batchDocuments: number },
  options: QueryOptions,
): Promise<number | undefined> {
  const rows = await store.query<{ last: number; documents: number }>(
    sql`
      SELECT max(seq) AS last, count() AS documents FROM (
        SELECT seq FROM documents WHERE seq > ${fromSeq} AND seq <= ${latestSeq} ORDER BY seq LIMIT ${batchDocuments}
      )`,
    options,
  );
  const [row] = rows;
  return row === undefined || row.documents === 0 ? undefined : row.last;
}
