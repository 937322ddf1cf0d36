import { OpenrayError } from '../errors.ts';
import { detachParts, type FoundPart, findDamagedParts } from './maintenance/repair.ts';
import { databaseOf, openEngine, type StoreOptions } from './open-store.ts';

/**
 * Finds the damaged parts of a store, and detaches them if `detaches`. Throws as `openStore` does, and SettingInvalid
 * for a cluster.
 */
export async function repairStore(
  options: StoreOptions,
  { detaches }: { readonly detaches: boolean },
): Promise<readonly FoundPart[]> {
  const engine = await openEngine(options);
  try {
    if (engine.cluster !== undefined) {
      throw new OpenrayError('SettingInvalid', 'A cluster is repaired by ClickHouse: run CHECK TABLE on each shard');
    }
    const database = databaseOf(engine, options);
    const parts = await findDamagedParts(database);
    if (detaches) await detachParts(database, parts);
    return parts;
  } finally {
    await engine.close();
  }
}
