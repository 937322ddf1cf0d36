import type { Config } from '../config.ts';
import { openStore } from '../store/open-store.ts';
import { forwardOptions, retentionPlan, storeOptions } from './options.ts';
import type { ServerProcess } from './process.ts';
import type { RunningServer } from './server.ts';

/**
 * Starts everything. Throws OpenrayError with one sentence when a port is in use, the data directory is in use or
 * unusable, or a template cannot be read; by then all parts that were started are closed.
 */
export async function startServer(config: Config, process: ServerProcess): Promise<RunningServer> {
  // Before the store is opened: an invalid setting is reported without touching any data.
  const options = { forward: forwardOptions(config), retention: retentionPlan(config) };
  let onOpening = () => {};
  const isOpening = new Promise<void>((resolve) => {
    onOpening = resolve;
  });
  const opening = openStore({ ...storeOptions(config, process, options.retention), onOpening });
  // Rejects with the failure of a store that does not begin to open; a later one comes from `startOverStore`.
  await Promise.race([isOpening, opening]);
  // Loaded while the engine opens, and not before: no other code of this process runs meanwhile.
  const { startOverStore } = await import('./server.ts');
  return startOverStore(config, process, { ...options, opening });
}
