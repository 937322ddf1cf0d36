import type { Config } from '../config.ts';
import type { FoundPart } from '../store/maintenance/repair.ts';
import { repairStore } from '../store/repair.ts';
import { storeOptions } from './options.ts';
import type { ServerProcess } from './process.ts';

/** The damaged parts of the store that the settings name. Throws StoreInUse while a server runs on it. */
export function repair(
  config: Config,
  process: ServerProcess,
  options: { readonly detaches: boolean },
): Promise<readonly FoundPart[]> {
  return repairStore(storeOptions(config, process), options);
}
