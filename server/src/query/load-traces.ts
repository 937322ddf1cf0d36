import { assembleTrace } from '../model/assemble.ts';
import type { Document, DocumentFormat } from '../model/entity.ts';
import { parseStored } from '../model/parse-stored.ts';
import type { Trace } from '../model/trace.ts';
import type { EntityId, TraceId } from '../model/trace-id.ts';
import { idSql, traceIdsSql } from '../store/ids.ts';
import { type Sql, sql } from '../store/sql.ts';
import type { QueryOptions, Store } from '../store/store.ts';

export type DocumentRow = {
  readonly trace_id: TraceId;
  readonly seq: number;
  readonly format: DocumentFormat;
  readonly body: string;
};

/** Every version of every document of the traces that is still stored; which one counts is for `assembleTrace`. */
export function documentsSql(traceIds: readonly TraceId[]): Sql {
  return sql`
    SELECT lower(hex(trace_id)) AS trace_id, seq, format, body
    FROM documents
    WHERE trace_id IN ${traceIdsSql(traceIds)}
    ORDER BY documents.trace_id, seq`;
}

/** The same of one document, by primary key. */
export function documentSql(traceId: TraceId, id: EntityId): Sql {
  return sql`
    SELECT lower(hex(trace_id)) AS trace_id, seq, format, body
    FROM documents
    WHERE trace_id IN ${traceIdsSql([traceId])} AND id = ${idSql(id)}
    ORDER BY seq`;
}

/** What has arrived of each trace; unknown ids are left out. */
export async function loadDocuments(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions = {},
): Promise<ReadonlyMap<TraceId, readonly Document[]>> {
  const documents = new Map<TraceId, Document[]>();
  if (traceIds.length === 0) return documents;
  for (const row of await store.query<DocumentRow>(documentsSql(traceIds), options)) {
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
