import { readObject, replaceObject } from './objects.ts';
import { sql } from './sql.ts';
import type { Store } from './store.ts';

/** Weights of the shards in their order: they decide, with the hash of its id, on which shard a trace is. */
type Layout = { readonly weights: readonly number[]; readonly sinceUs: number };

type Database = Pick<Store, 'query' | 'command'>;

const LAYOUT = { kind: 'cluster', name: 'shards' };
/** What is on its way when shards are added belongs to the time before. */
const MARGIN_US = 3_600_000_000;

/**
 * Whether each trace of the store is on the one shard that its id says, so that queries may rely on it. It is not from
 * when shards are added, or their weights changed, until all traces from before are gone by retention.
 */
export async function areTracesColocated(database: Database, cluster: string, prunedBeforeUs = 0): Promise<boolean> {
  const weights = await readWeights(database, cluster);
  for (;;) {
    const known = await readObject(database, LAYOUT);
    const layout: Layout | undefined = known?.body === undefined ? undefined : JSON.parse(known.body);
    if (layout && JSON.stringify(layout.weights) === JSON.stringify(weights)) {
      return layout.sinceUs === 0 || prunedBeforeUs > layout.sinceUs + MARGIN_US;
    }
    const now: Layout = { weights, sinceUs: layout ? Date.now() * 1000 : 0 };
    // When another server was first it has written the same, or will say otherwise.
    await replaceObject(database, LAYOUT, known, JSON.stringify(now));
  }
}

async function readWeights(database: Database, cluster: string): Promise<readonly number[]> {
  const rows = await database.query<{ weight: number }>(sql`
    SELECT any(shard_weight) AS weight FROM system.clusters WHERE cluster = ${cluster}
    GROUP BY shard_num ORDER BY shard_num`);
  return rows.map(({ weight }) => weight);
}
