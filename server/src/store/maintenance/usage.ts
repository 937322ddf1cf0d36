import { type Sql, sql } from '../sql.ts';
import type { EngineStatistics, QueryOptions, Store, StoreUsage } from '../store.ts';

const DAY_US = 86_400_000_000;

type Stored = { readonly bytes: number; readonly documents: number; readonly oldestDay: number };

/** Size of `parts`, the parts of all shards. Cheap: the engine reads no rows for it. */
export async function readUsage(
  { query }: Pick<Store, 'query'>,
  parts: Sql,
  options?: QueryOptions,
): Promise<Pick<StoreUsage, 'bytes' | 'documents' | 'oldestDayUs' | 'freeBytes'>> {
  const isDocuments = sql`match(table, '^documents(_local)?$')`;
  const stored = await query<Stored>(
    sql`
      SELECT sum(bytes_on_disk) AS bytes, sumIf(rows, ${isDocuments}) AS documents,
        minIf(toUInt32OrZero(partition), ${isDocuments}) AS oldestDay
      FROM ${parts} WHERE active AND database = currentDatabase()`,
    options,
  );
  const disks = await query<{ freeBytes: number }>(
    sql`SELECT min(unreserved_space) AS freeBytes FROM system.disks`,
    options,
  );
  const { bytes = 0, documents = 0, oldestDay = 0 } = stored[0] ?? {};
  return {
    bytes,
    documents,
    oldestDayUs: documents > 0 ? oldestDay * DAY_US : undefined,
    freeBytes: disks[0]?.freeBytes,
  };
}

export async function readEngineStatistics(
  { query }: Pick<Store, 'query'>,
  parts: Sql,
  options?: QueryOptions,
): Promise<EngineStatistics> {
  const [row] = await query<EngineStatistics>(
    sql`
      SELECT
        (SELECT count() FROM ${parts} WHERE active AND database = currentDatabase()) AS parts,
        (SELECT count() FROM system.merges WHERE database = currentDatabase()) AS merges,
        (SELECT max(value) FROM system.metrics WHERE metric = 'MemoryTracking') AS memoryBytes`,
    options,
  );
  return row ?? { parts: 0, merges: 0, memoryBytes: 0 };
}
