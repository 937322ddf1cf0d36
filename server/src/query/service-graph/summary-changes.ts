import type { CountedDocument } from '../../model/lean-document.ts';
import type { PlainTrace } from '../../model/plain-trace.ts';
import { summariseTrace } from '../../model/summarise.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { bodyBytesOf } from '../../store/body-bytes.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { type CoveredDocuments, newSummaryBlock, summaryRowOf } from '../../store/write/summary-rows.ts';
import { traceStartsSql } from '../traces/candidates.ts';
import type { FirstPart } from '../traces/trace-sizes.ts';
import { plainSummaryRow } from './plain-summary.ts';
import type { GraphColumns } from './plain-sums.ts';
import type { TraceState } from './trace-changes.ts';
import { NO_CONTRIBUTION } from './trace-contribution.ts';

/** New rows of `trace_summaries` for changed traces. */
export type SummaryChanges = {
  /**
   * `documents` are those of `after`. `otherStartsUs`: further starts at which the trace may have a row that is not
   * valid any more.
   */
  add(change: SummaryChange, otherStartsUs?: readonly number[]): void;
  /** Of a plain trace; `otherStartsUs` has the start of the trace before, too. `lastSeq` as above. */
  addPlain(trace: PlainTrace, graph: GraphColumns, lastSeq: number, otherStartsUs?: readonly number[]): void;
  /** Of a trace that exceeds the bounds of a trace. Replaces what `add` does for it. */
  addExceeding(id: TraceId, part: FirstPart): void;
  /** Inserts the rows. Of the calls with the same `name` only the first takes effect. */
  insert(store: Store, name: string, options: QueryOptions): Promise<void>;
};

export type SummaryChange = {
  readonly id: TraceId;
  readonly before: TraceState;
  readonly after: TraceState;
  readonly documents: readonly CountedDocument[];
  /** No document of the trace is later. By default the last one of `documents`, which may lack exact repeats. */
  readonly lastSeq?: number;
};

/** `version`: the documents through this `seq` are summarised. */
export function newSummaryChanges(version: number): SummaryChanges {
  const block = newSummaryBlock(version);
  const exceeding = new Map<TraceId, FirstPart>();
  return {
    add({ id, before, after, documents, lastSeq }, otherStartsUs = []) {
      if (exceeding.has(id)) return;
      const read = coveredBy(documents);
      const covered = { ...read, lastSeq: lastSeq ?? read.lastSeq };
      const isAdded = addSummary(after, covered);
      if (!isAdded && documents.some(({ entities }) => entities.length > 0)) {
        block.addUndecided(id, firstStartUs(documents), covered);
      }
      const startUs = isAdded ? after.trace?.startUs : undefined;
      const former = new Set([...(before.trace ? [before.trace.startUs] : []), ...otherStartsUs]);
      for (const formerUs of former) if (formerUs !== startUs) block.cancel(id, formerUs);
    },
    addPlain(trace, graph, lastSeq, otherStartsUs = []) {
      const read = coveredBy(trace.documents);
      const covered = { ...read, lastSeq };
      const row = plainSummaryRow(trace, graph, { covered, updatedUs: read.lastSeq });
      const isAdded = block.add(row);
      if (!isAdded) block.addUndecided(row.id, row.startUs, covered);
      for (const formerUs of new Set(otherStartsUs)) {
        if (!isAdded || formerUs !== row.startUs) block.cancel(row.id, formerUs);
      }
    },
    addExceeding(id, part) {
      exceeding.set(id, part);
    },
    async insert(store, name, options) {
      if (exceeding.size > 0) {
        const starts = await store.query<{ trace_id: TraceId; key: number }>(
          traceStartsSql([...exceeding.keys()]),
          options,
        );
        for (const { trace_id: id, key } of starts) {
          const { documents, bytes, lastSeq } = (exceeding.get(id) as FirstPart).whole;
          block.addUndecided(id, key, { firstSeq: 0, lastSeq, documents, bytes });
        }
      }
      const rows = block.end(name);
      if (rows !== undefined) await store.insert(rows);
    },
  };

  /** False without a trace, and for one that a row cannot decide about. */
  function addSummary({ trace, contribution }: TraceState, covered: CoveredDocuments): boolean {
    if (trace === undefined || contribution === NO_CONTRIBUTION) return false;
    const { graph } = contribution;
    try {
      return block.add(summaryRowOf({ trace, graph, summary: summariseTrace(trace, graph), covered }));
    } catch {
      // The roll-up reports traces for which the pure functions fail.
      return false;
    }
  }
}

function coveredBy(documents: readonly CountedDocument[]): CoveredDocuments {
  let firstSeq = Number.MAX_SAFE_INTEGER;
  let lastSeq = 0;
  let bytes = 0;
  for (const document of documents) {
    firstSeq = Math.min(firstSeq, document.seq);
    lastSeq = Math.max(lastSeq, document.seq);
    bytes += bodyBytesOf(document);
  }
  return { firstSeq, lastSeq, documents: documents.length, bytes };
}

const firstStartUs = (documents: readonly CountedDocument[]): number =>
  documents
    .flatMap(({ entities }) => entities)
    .reduce((firstUs, { startUs }) => Math.min(firstUs, startUs), Number.MAX_SAFE_INTEGER);

/**
 * Starts at which rows of a batch that was not completed are, by trace. The batch is rolled up again and may then have
 * other documents.
 */
export async function readUnfinishedStarts(
  store: Store,
  { fromSeq, toSeq }: { readonly fromSeq: number; readonly toSeq: number },
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, readonly number[]>> {
  const rows = await store.query<{ trace_id: TraceId; start_us: number }>(
    sql`
      SELECT DISTINCT lower(hex(trace_id)) AS trace_id, start_us FROM trace_summaries
      WHERE version > ${fromSeq} AND version <= ${toSeq} AND start_us > 0`,
    options,
  );
  const starts = new Map<TraceId, number[]>();
  for (const { trace_id: id, start_us: startUs } of rows) starts.set(id, [...(starts.get(id) ?? []), startUs]);
  return starts;
}
