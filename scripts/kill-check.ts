import { sql } from '../server/src/store/sql.ts';
import type { Store } from '../server/src/store/store.ts';
import type { Sent } from './kill-load.ts';

export type StoreCheck = {
  readonly stored: number;
  /** Acknowledged and not there. */
  readonly lost: readonly string[];
  /** There as more than one version, though sent once. */
  readonly duplicated: readonly string[];
  /** There, but not to be found: without its two entity rows. */
  readonly withoutEntities: readonly string[];
  /** Stored by an insert that was tried again and had been done: merges drop them, answers count them once. */
  readonly repeatedRows: number;
  /** Sent over UDP and there. */
  readonly datagramsStored: number;
};

/** Holds what the store has against what was sent. */
export async function checkStore(store: Store, { acknowledged, datagrams }: Sent): Promise<StoreCheck> {
  const doubled: string[] = [];
  const notFound: string[] = [];
  let repeatedRows = 0;
  let datagramsStored = 0;
  const stored = new Set<string>();
  const rows = store.stream<{ id: string; versions: number; count: number }>(sql`
    SELECT lower(hex(trace_id)) AS id, uniqExact(id, seq, server) AS versions, count() AS count
    FROM documents GROUP BY documents.trace_id`);
  for await (const { id, versions, count } of rows) {
    stored.add(id);
    if (versions > 1) doubled.push(id);
    repeatedRows += count - versions;
    if (datagrams.has(id)) datagramsStored++;
  }
  const found = new Set<string>();
  const ofEntities = store.stream<{ id: string }>(sql`
    SELECT lower(hex(trace_id)) AS id FROM entities GROUP BY entities.trace_id HAVING uniqExact(entities.id) = 2`);
  for await (const { id } of ofEntities) found.add(id);
  for (const id of stored) if (!found.has(id)) notFound.push(id);
  const lost = [...acknowledged].filter((id) => !stored.has(id));
  return { stored: stored.size, lost, duplicated: doubled, withoutEntities: notFound, repeatedRows, datagramsStored };
}
