import { type PlainTrace, plainTraceOf } from '../../model/plain-trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { newRollUpBlock } from '../../store/write/roll-up-rows.ts';
import { traceInMemory, tracesBegunBy } from '../traces/load-traces.ts';
import { markFilled } from '../traces/summary-state.ts';
import type { FirstPart } from '../traces/trace-sizes.ts';
import { type MinuteGraphs, periodsOf } from './periods.ts';
import { type GraphColumns, newPlainSums, type PlainSums } from './plain-sums.ts';
import type { RollUpProgress } from './roll-up-progress.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';
import { newSummaryChanges, readUnfinishedStarts, type SummaryChanges } from './summary-changes.ts';
import { changesOf, consumersOf, type SeqRange } from './trace-changes.ts';
import { addToMinuteGraphs } from './trace-contribution.ts';

/** Documents of one batch. */
const BATCH_DOCUMENTS = 20_000;

export type RollUpOptions = QueryOptions & {
  /** Only documents through this `seq`. All of them must be stored. */
  readonly toSeq: number;
  /** Called between steps of work that each hold up the process for some milliseconds. */
  readonly pause?: () => Promise<void>;
  readonly batchDocuments?: number;
  /** Only where no other process rolls up. */
  readonly progress?: RollUpProgress | undefined;
  /** Called with each trace of the batch that exceeds the bounds of a trace. Only its first part is rolled up. */
  readonly onExceeding?: (id: TraceId, part: FirstPart) => void;
  /** Called with each trace that the pure functions fail for. It counts nothing. */
  readonly onUncountable?: (id: TraceId, reason: string) => void;
};

/**
 * Rolls up the next documents. For each trace of these documents, its graph with them is added and its graph without
 * them is subtracted, minute by minute. The same is done for traces that consumed messages of these traces, since
 * their links show the producers. So the result does not depend on how late, how often or in how many parts a trace
 * arrives.
 *
 * The summaries of these traces are inserted first.
 *
 * A batch is inserted as one block, which also contains the new watermark. It is stored completely, once, or not at
 * all, also when the process ends meanwhile or another server rolls up the same documents. Returns the range of the
 * batch; undefined when there are no documents to roll up.
 */
export async function rollUp(
  store: Store,
  {
    toSeq: latestSeq,
    pause,
    progress,
    batchDocuments = BATCH_DOCUMENTS,
    onExceeding,
    onUncountable,
    ...options
  }: RollUpOptions,
): Promise<SeqRange | undefined> {
  const fromSeq = progress?.watermark ?? (await readRollUpWatermark(store, options));
  const window = { fromSeq, latestSeq, batchDocuments };
  const batch = batchInMemory(store, window) ?? (await readBatch(store, window, options));
  if (batch.changedIds.length === 0) return undefined;
  const { toSeq, changedIds } = batch;
  const minutes: MinuteGraphs = new Map();
  const changed = new Set(changedIds);
  const summaries = newSummaryChanges(toSeq);
  const mayBeUnfinished = progress === undefined || fromSeq < progress.unfinishedThroughSeq;
  const unfinishedStarts = mayBeUnfinished ? await readUnfinishedStarts(store, { fromSeq, toSeq }, options) : new Map();
  const consumerIds = new Set(await consumersOf(store, changedIds, sql`seq <= ${toSeq}`, options));
  const plainSums = newPlainSums();
  const isAlone = (id: TraceId) => !consumerIds.has(id);
  const plainIds = await addPlainTraces(
    store,
    changedIds.filter(isAlone),
    { fromSeq, toSeq },
    { sums: plainSums, summaries, unfinishedStarts, pause },
    options,
  );
  const traceIds = [...new Set([...changedIds, ...consumerIds])].filter((id) => !plainIds.has(id));
  const changeOptions = {
    ...options,
    onExceeding: (id: TraceId, part: FirstPart) => {
      summaries.addExceeding(id, part);
      onExceeding?.(id, part);
    },
    ...(onUncountable && { onUncountable }),
    canSkip: isAlone,
  };
  for await (const changes of changesOf(store, traceIds, { fromSeq, toSeq }, changeOptions)) {
    for (const change of changes) {
      const { id, before, after } = change;
      if (changed.has(id)) {
        const documents = change.documents.filter(({ seq }) => seq <= toSeq);
        summaries.add({ id, before, after, documents, lastSeq: toSeq }, unfinishedStarts.get(id));
      }
      if (before.contribution === after.contribution) continue;
      addToMinuteGraphs(minutes, after.contribution, 1);
      addToMinuteGraphs(minutes, before.contribution, -1);
    }
    await pause?.();
  }
  plainSums.addTo(minutes);
  const block = newRollUpBlock(fromSeq, toSeq);
  for (const period of periodsOf(minutes)) {
    block.add(period);
    await pause?.();
  }
  progress?.begin(toSeq);
  // Summaries may be ahead of the watermark, never behind: readers use them for traces without later documents.
  await summaries.insert(store, `${fromSeq}/${toSeq}`, options);
  if (fromSeq === 0) await markFilled(store);
  await store.insert(block.end());
  progress?.end(toSeq);
  store.recent.rolledUp(toSeq);
  return { fromSeq, toSeq };
}

/** Traces whose earlier documents one query looks for. */
const PLAIN_BATCH = 5_000;
/** Traces before other work gets its turn. */
const PAUSE_AFTER = 50;

type PlainTarget = {
  readonly sums: PlainSums;
  readonly summaries: SummaryChanges;
  readonly unfinishedStarts: ReadonlyMap<TraceId, readonly number[]>;
  readonly pause: (() => Promise<void>) | undefined;
};

/**
 * Adds the traces that are in memory, as a whole, and plain; subtracts the part of them that is rolled up. Returns
 * their ids. The objects of a trace are made when it is added: objects that wait for a query cost the garbage collector
 * as much as making them.
 */
async function addPlainTraces(
  store: Store,
  traceIds: readonly TraceId[],
  { fromSeq, toSeq }: SeqRange,
  { sums, summaries, unfinishedStarts, pause }: PlainTarget,
  options: QueryOptions,
): Promise<ReadonlySet<TraceId>> {
  const { recent } = store;
  const added = new Set<TraceId>();
  for (let first = 0; first < traceIds.length; first += PLAIN_BATCH) {
    const { afterSeq } = recent;
    if (afterSeq > toSeq) break;
    const ids = traceIds.slice(first, first + PLAIN_BATCH);
    const begunBefore = await tracesBegunBy(store, ids, afterSeq, options);
    for (const [index, id] of ids.entries()) {
      if (index % PAUSE_AFTER === 0) await pause?.();
      // Documents were evicted meanwhile: those that are left may not be all.
      if (recent.afterSeq > afterSeq) break;
      if (begunBefore.has(id)) continue;
      const documents = traceInMemory(store, id) ?? [];
      const before = documents.filter(({ seq }) => seq <= fromSeq);
      const trace = plainTraceOf(documents.filter(({ seq }) => seq <= toSeq));
      // A part of a plain trace is plain.
      const former = before.length === 0 ? undefined : plainTraceOf(before);
      if (trace === undefined || (before.length > 0 && former === undefined)) continue;
      const graph = addIfCountable(sums, trace);
      if (graph === undefined) continue;
      if (former !== undefined) sums.subtract(former);
      const formerStartsUs = former?.entities.slice(0, 1).map(({ startUs }) => startUs) ?? [];
      summaries.addPlain(trace, graph, toSeq, [...formerStartsUs, ...(unfinishedStarts.get(id) ?? [])]);
      added.add(id);
    }
  }
  return added;
}

/** Undefined for a trace for which the pure functions fail: `changesOf` reports it. */
function addIfCountable(sums: PlainSums, trace: PlainTrace): GraphColumns | undefined {
  try {
    return sums.add(trace);
  } catch {
    return undefined;
  }
}

type BatchWindow = { readonly fromSeq: number; readonly latestSeq: number; readonly batchDocuments: number };
/** The last document of a batch, and the traces of its documents, in no particular order: none for an empty batch. */
type Batch = { readonly toSeq: number; readonly changedIds: readonly TraceId[] };

/** Undefined when some of the next documents are in the store only. */
function batchInMemory({ recent }: Store, { fromSeq, latestSeq, batchDocuments }: BatchWindow): Batch | undefined {
  if (recent.afterSeq > fromSeq) return undefined;
  const seqs = recent.seqsBetween(fromSeq, latestSeq);
  const toSeq = seqs[Math.min(batchDocuments, seqs.length) - 1] ?? fromSeq;
  return { toSeq, changedIds: recent.tracesBetween(fromSeq, toSeq) };
}

async function readBatch(store: Store, window: BatchWindow, options: QueryOptions): Promise<Batch> {
  const { fromSeq } = window;
  const toSeq = await lastSeqOfBatch(store, window, options);
  if (toSeq === undefined) return { toSeq: fromSeq, changedIds: [] };
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id
      FROM (
        SELECT DISTINCT trace_id AS trace FROM documents WHERE seq > ${fromSeq} AND seq <= ${toSeq} ORDER BY trace
      )`,
    options,
  );
  return { toSeq, changedIds: rows.map((row) => row.trace_id) };
}

async function lastSeqOfBatch(
  store: Store,
  { fromSeq, latestSeq, batchDocuments }: BatchWindow,
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
