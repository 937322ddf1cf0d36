import type { TraceId } from '../../model/trace-id.ts';
import { BODY_BYTES } from '../../store/body-bytes.ts';
import { traceIdsSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TraceBounds } from '../../store/trace-bounds.ts';

/** Stored documents of a trace, repeated ones included. `bytes` is the length of their bodies. */
export type TraceSize = {
  readonly documents: number;
  readonly bytes: number;
  readonly lastSeq: number;
  /** A fifth of the documents or more may be exact repeats. */
  readonly hasRepeats: boolean;
};

/**
 * The first part of a trace that exceeds the bounds: its documents through `throughSeq`. Later documents never change
 * this part, so that a service graph that counted it can subtract it again.
 */
export type FirstPart = {
  readonly throughSeq: number;
  /** Of the whole trace. */
  readonly whole: { readonly documents: number; readonly bytes: number; readonly lastSeq: number };
};

export type DocumentSelection = {
  readonly traceIds: readonly TraceId[];
  readonly toSeq?: number | undefined;
  readonly where?: Sql | undefined;
};

export function documentPredicates({ traceIds, toSeq, where }: DocumentSelection): readonly Sql[] {
  return [
    sql`trace_id IN ${traceIdsSql(traceIds)}`,
    ...(toSeq === undefined ? [] : [sql`seq <= ${toSeq}`]),
    ...(where === undefined ? [] : [where]),
  ];
}

/** Reads no body: the engine stores the lengths of strings apart. */
function traceSizesSql(selected: DocumentSelection): Sql {
  return sql`
    SELECT lower(hex(trace)) AS trace_id, documents, bytes, last_seq, documents > 1.25 * versions AS has_repeats
    FROM (
      SELECT trace_id AS trace, count() AS documents, sum(${BODY_BYTES}) AS bytes, max(seq) AS last_seq,
        uniqCombined(id, ${BODY_BYTES}) AS versions
      FROM documents WHERE ${sql.and(documentPredicates(selected))} GROUP BY trace
    )`;
}

/** Unknown ids are left out. */
export async function readTraceSizes(
  store: Store,
  selected: DocumentSelection,
  options: QueryOptions,
): Promise<Map<TraceId, TraceSize>> {
  const rows = await store.query<{
    trace_id: TraceId;
    documents: number;
    bytes: number;
    last_seq: number;
    has_repeats: number;
  }>(traceSizesSql(selected), options);
  return new Map(
    rows.map(({ trace_id: id, documents, bytes, last_seq: lastSeq, has_repeats: hasRepeats }) => [
      id,
      { documents, bytes, lastSeq, hasRepeats: hasRepeats === 1 },
    ]),
  );
}

/**
 * The first part of the documents of each trace, if they exceed the bounds. Documents of one `seq` are never separated,
 * and a part has at least one document. A row that waits for its merge with an equal one counts once.
 */
function firstPartsSql(selected: DocumentSelection, { documents, bytes }: TraceBounds): Sql {
  return sql`
    SELECT lower(hex(trace)) AS trace_id, maxIf(seq, is_inside) AS through_seq, max(count) AS documents,
      max(sum) AS bytes, max(seq) AS last_seq
    FROM (
      SELECT trace, seq, count, sum,
        (count <= ${documents} AND sum <= ${bytes}) OR seq = min(seq) OVER (PARTITION BY trace) AS is_inside
      FROM (
        SELECT trace, seq, count() OVER arrived AS count, sum(size) OVER arrived AS sum
        FROM (
          SELECT DISTINCT trace_id AS trace, id, seq, server, ${BODY_BYTES} AS size FROM documents
          WHERE ${sql.and(documentPredicates(selected))}
        )
        WINDOW arrived AS (PARTITION BY trace ORDER BY seq RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
      )
    )
    GROUP BY trace HAVING max(seq) > through_seq`;
}

/** First parts that are kept, see `knownFirstParts`. */
const MAX_KEPT = 1_000;
type Kept = { readonly key: string; readonly part: FirstPart | undefined };
const keptByStore = new WeakMap<Store['query'], Map<TraceId, Kept>>();

/**
 * As `readFirstParts`, for all documents of the traces. Reads a trace again only after its size has changed: this costs
 * time in proportion to its documents, and each list over the trace asks.
 */
export async function knownFirstParts(
  store: Store,
  sizes: ReadonlyMap<TraceId, TraceSize>,
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, FirstPart>> {
  const kept = keptByStore.get(store.query) ?? new Map<TraceId, Kept>();
  keptByStore.set(store.query, kept);
  const keyOf = ({ documents, bytes, lastSeq }: TraceSize) =>
    JSON.stringify([documents, bytes, lastSeq, store.statistics().prunedBeforeUs, store.traceBounds]);
  const changed = [...sizes].filter(([id, size]) => kept.get(id)?.key !== keyOf(size)).map(([id]) => id);
  const parts = new Map(await readFirstParts(store, { traceIds: changed }, options));
  for (const [id, size] of sizes) {
    const isKept = !changed.includes(id);
    const part = isKept ? kept.get(id)?.part : parts.get(id);
    if (part !== undefined) parts.set(id, part);
    kept.delete(id);
    kept.set(id, { key: keyOf(size), part });
  }
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
  return parts;
}

/** Whether the trace exceeded the bounds when its size was read last. */
export const isKnownToExceed = (store: Store, id: TraceId): boolean =>
  keptByStore.get(store.query)?.get(id)?.part !== undefined;

/** Only traces that exceed the bounds. */
export async function readFirstParts(
  store: Store,
  selected: DocumentSelection,
  options: QueryOptions,
  bounds: TraceBounds = store.traceBounds,
): Promise<ReadonlyMap<TraceId, FirstPart>> {
  if (selected.traceIds.length === 0) return new Map();
  const rows = await store.query<{
    trace_id: TraceId;
    through_seq: number;
    documents: number;
    bytes: number;
    last_seq: number;
  }>(firstPartsSql(selected, bounds), options);
  return new Map(
    rows.map(({ trace_id: id, through_seq: throughSeq, documents, bytes, last_seq: lastSeq }) => [
      id,
      { throughSeq, whole: { documents, bytes, lastSeq } },
    ]),
  );
}
