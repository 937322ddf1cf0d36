import { sql } from '../../server/src/store/sql.ts';
import type { Store } from '../../server/src/store/store.ts';
import type { Sent } from './load.ts';

export type StoreCheck = {
  /** Stored traces. */
  readonly stored: number;
  /** Traces that were acknowledged and of which a document is missing. */
  readonly lost: readonly string[];
  /** Traces with a document that was sent once and is stored as more than one version. */
  readonly duplicated: readonly string[];
  /** Acknowledged traces that are stored without all of their entity rows: queries do not find them. */
  readonly withoutEntities: readonly string[];
  /** Rows of repeated inserts that had succeeded before: merges drop them, queries count them once. */
  readonly repeatedRows: number;
  /** Traces that were sent over UDP and are stored. */
  readonly datagramsStored: number;
};

/** A query counts this share of the traces: after an hour of load there are more than one may hold in memory. */
const SHARES = 32;

const REPLAY_MAX_MS = 120_000;

/** Compares the stored documents with the sent ones. */
export async function checkStore(store: Store, { acknowledged, datagrams }: Sent): Promise<StoreCheck> {
  // A server that is stopped soon after its start leaves documents of the process before it.
  await store.flush({ timeoutMs: REPLAY_MAX_MS });
  const duplicated: string[] = [];
  let repeatedRows = 0;
  let datagramsStored = 0;
  const documents = new Map<string, number>();
  const entities = new Map<string, number>();
  for (let share = 0; share < SHARES; share++) {
    const isInShare = sql`cityHash64(trace_id) % ${SHARES} = ${share}`;
    const rows = store.stream<{ id: string; ids: number; versions: number; count: number }>(sql`
      SELECT lower(hex(trace_id)) AS id, uniqExact(documents.id) AS ids, uniqExact(documents.id, seq, server) AS versions,
        count() AS count
      FROM documents WHERE ${isInShare} GROUP BY documents.trace_id`);
    for await (const { id, ids, versions, count } of rows) {
      documents.set(id, ids);
      if (versions > ids) duplicated.push(id);
      repeatedRows += count - versions;
      if (datagrams.has(id)) datagramsStored++;
    }
    const entityRows = store.stream<{ id: string; ids: number }>(sql`
      SELECT lower(hex(trace_id)) AS id, uniqExact(entities.id) AS ids
      FROM entities WHERE ${isInShare} GROUP BY entities.trace_id`);
    for await (const { id, ids } of entityRows) entities.set(id, ids);
  }
  const lost: string[] = [];
  const withoutEntities: string[] = [];
  for (const [id, expected] of acknowledged) {
    if ((documents.get(id) ?? 0) < expected.documents) lost.push(id);
    else if ((entities.get(id) ?? 0) < expected.entities) withoutEntities.push(id);
  }
  return { stored: documents.size, lost, duplicated, withoutEntities, repeatedRows, datagramsStored };
}
