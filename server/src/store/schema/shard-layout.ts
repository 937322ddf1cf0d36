import { readObject, replaceObject } from '../objects.ts';
import { sql } from '../sql.ts';
import type { Store } from '../store.ts';

/** Weights of the shards in their order. They and the hash of a trace's id decide on which shard the trace is. */
type Layout = { readonly weights: readonly number[]; readonly sinceUs: number };

type Database = Pick<Store, 'query' | 'command'>;

const LAYOUT = { kind: 'cluster', name: 'shards' };
/** Documents that are in flight when shards are added still have the old placement. */
const MARGIN_US = 3_600_000_000;

/**
 * Whether queries may rely on each trace being on the shard of its id. They may not from the time at which shards are
 * added or their weights change until retention has dropped all older traces.
 */
export async function areTracesColocated(database: Database, cluster: string, droppedBeforeUs = 0): Promise<boolean> {
  const weights = await readWeights(database, cluster);
  for (;;) {
    const known = await readObject(database, LAYOUT);
    const layout: Layout | undefined = known?.body === undefined ? undefined : JSON.parse(known.body);
    if (layout && JSON.stringify(layout.weights) === JSON.stringify(weights)) {
      return layout.sinceUs === 0 || droppedBeforeUs > layout.sinceUs + MARGIN_US;
    }
    const now: Layout = { weights, sinceUs: layout ? Date.now() * 1000 : 0 };
    // If another server was first, the next iteration reads its layout.
    await replaceObject(database, LAYOUT, known, JSON.stringify(now));
  }
}

async function readWeights(database: Database, cluster: string): Promise<readonly number[]> {
  const rows = await database.query<{ weight: number }>(sql`
    SELECT any(shard_weight) AS weight FROM system.clusters WHERE cluster = ${cluster}
    GROUP BY shard_num ORDER BY shard_num`);
  return rows.map(({ weight }) => weight);
}
