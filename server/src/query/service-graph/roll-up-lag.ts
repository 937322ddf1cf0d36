import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';

/** Microseconds since the oldest document arrived that is not rolled up; 0 if all are. */
export async function rollUpLagUs(store: Store, options: QueryOptions = {}): Promise<number> {
  const watermark = await readRollUpWatermark(store, options);
  const [row] = await store.query<{ documents: number; oldest: number }>(
    sql`SELECT count() AS documents, min(seq) AS oldest FROM documents WHERE seq > ${watermark}`,
    options,
  );
  if (row === undefined || row.documents === 0) return 0;
  return Math.max(0, store.clock.arrivalUs() - row.oldest);
}
