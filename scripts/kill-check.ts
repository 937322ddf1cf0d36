import { sql } from '../server/src/store/sql.ts';
import type { Store } from '../server/src/store/store.ts';
import type { Sent } from './kill-load.ts';

export type StoreCheck = {
  readonly stored: number;
  /** Traces that were acknowledged and are not stored. */
  readonly lost: readonly string[];
  /** Traces that were sent once and are stored as more than one version. */
  readonly duplicated: readonly string[];
  /** Traces that are stored without their two entity rows: no query finds them. */
  readonly withoutEntities: readonly string[];
  /** Rows of repeated inserts that had succeeded before: merges drop them, queries count them once. */
  readonly repeatedRows: number;
  /** Traces that were sent over UDP and are stored. */
  readonly datagramsStored: number;
};

/** Compares the stored documents with the sent ones. */
export async function checkStore(store: Store, { acknowledged, datagrams }: Sent): Promise<StoreCheck> {
  const duplicated: string[] = [];
  const withoutEntities: string[] = [];
  let repeatedRows = 0;
  let datagramsStored = 0;
  const stored = new Set<string>();
  const rows = store.stream<{ id: string; versions: number; count: number }>(sql`
    SELECT lower(hex(trace_id)) AS id, uniqExact(id, seq, server) AS versions, count() AS count
    FROM documents GROUP BY documents.trace_id`);
  for await (const { id, versions, count } of rows) {
    stored.add(id);
    if (versions > 1) duplicated.push(id);
    repeatedRows += count - versions;
    if (datagrams.has(id)) datagramsStored++;
  }
  const withEntities = new Set<string>();
  const entityRows = store.stream<{ id: string }>(sql`
    SELECT lower(hex(trace_id)) AS id FROM entities GROUP BY entities.trace_id HAVING uniqExact(entities.id) = 2`);
  for await (const { id } of entityRows) withEntities.add(id);
  for (const id of stored) if (!withEntities.has(id)) withoutEntities.push(id);
  const lost = [...acknowledged].filter((id) => !stored.has(id));
  return { stored: stored.size, lost, duplicated, withoutEntities, repeatedRows, datagramsStored };
}
