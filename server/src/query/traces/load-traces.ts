import { assembleTrace } from '../../model/assemble.ts';
import type { Document, DocumentFormat } from '../../model/entity.ts';
import { parseStored } from '../../model/parse-stored.ts';
import type { Trace } from '../../model/trace.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { idSql, traceIdsSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';

export type DocumentRow = {
  readonly trace_id: TraceId;
  readonly seq: number;
  readonly format: DocumentFormat;
  readonly body: string;
};

/**
 * All stored versions of all documents of the traces, through `toSeq` when it is given. `assembleTrace` decides which
 * version counts.
 */
export function documentsSql(traceIds: readonly TraceId[], toSeq?: number): Sql {
  const where = [sql`trace_id IN ${traceIdsSql(traceIds)}`, ...(toSeq === undefined ? [] : [sql`seq <= ${toSeq}`])];
  return sql`
    SELECT lower(hex(trace_id)) AS trace_id, seq, format, body
    FROM documents
    PREWHERE ${sql.and(where)}
    ORDER BY documents.trace_id, seq`;
}

/** All stored versions of one document, by primary key. */
export function documentSql(traceId: TraceId, id: EntityId): Sql {
  return sql`
    SELECT lower(hex(trace_id)) AS trace_id, seq, format, body
    FROM documents
    WHERE trace_id IN ${traceIdsSql([traceId])} AND id = ${idSql(id)}
    ORDER BY seq`;
}

/** All documents of each trace that have arrived; unknown ids are left out. */
export function loadDocuments(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions = {},
): Promise<DocumentsByTrace> {
  return readDocuments(store, traceIds, undefined, options);
}

/** The same, with the latest documents from memory, already parsed: faster for many traces that have just changed. */
export async function loadDocumentsWithRecent(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions = {},
): Promise<DocumentsByTrace> {
  const { recent } = store;
  if (recent.afterSeq === Number.POSITIVE_INFINITY) return loadDocuments(store, traceIds, options);
  // Read the cache before the store. A document that is evicted meanwhile is then in `arrived`; the other order could
  // miss it.
  const { afterSeq } = recent;
  const arrived = traceIds
    .map((id) => [id, recent.ofTrace(id)] as const)
    .filter(([, documents]) => documents.length > 0);
  const documents = new Map(await readDocuments(store, traceIds, afterSeq, options));
  for (const [id, ofTrace] of arrived) documents.set(id, [...(documents.get(id) ?? []), ...ofTrace]);
  return documents;
}

type DocumentsByTrace = ReadonlyMap<TraceId, readonly Document[]>;

async function readDocuments(
  store: Store,
  traceIds: readonly TraceId[],
  toSeq: number | undefined,
  options: QueryOptions,
): Promise<DocumentsByTrace> {
  const documents = new Map<TraceId, Document[]>();
  if (traceIds.length === 0) return documents;
  for (const row of await store.query<DocumentRow>(documentsSql(traceIds, toSeq), options)) {
    const ofTrace = documents.get(row.trace_id) ?? [];
    documents.set(row.trace_id, ofTrace);
    ofTrace.push(...parseStored(row.format, row.body, row.seq));
  }
  return documents;
}

/** The traces as far as they have arrived, in the order of `traceIds`; unknown ids are left out. */
export async function loadTraces(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions = {},
): Promise<readonly Trace[]> {
  const documents = await loadDocuments(store, traceIds, options);
  return traceIds.flatMap((id) => assembleTrace(documents.get(id) ?? []) ?? []);
}
