import type { Config } from '../config.ts';
import { restoreStore } from '../store/restore.ts';
import type { TableCopy } from '../store/store.ts';
import { storeOptions } from './options.ts';
import type { ServerProcess } from './process.ts';

/**
 * Restores a backup into the empty store that the settings name. Yields the progress of each table. Throws StoreInUse
 * while a server runs on the store, StoreUnusable when it is not empty, ResourceNotFoundException when there is no such
 * backup.
 */
export function restoreFromBackup(config: Config, process: ServerProcess, name: string): AsyncIterable<TableCopy> {
  return restoreStore(storeOptions(config, process), name);
}
