import type { Config } from '../config.ts';
import { openStore } from '../store/open-store.ts';
import { forwardOptions, storeOptions } from './options.ts';
import type { ServerProcess } from './process.ts';
import type { RunningServer } from './server.ts';

/**
 * Starts everything. Throws OpenrayError with one sentence when a port is in use, the data directory is in use or
 * unusable, or a template cannot be read; by then all parts that were started are closed.
 */
export async function startServer(config: Config, process: ServerProcess): Promise<RunningServer> {
  // Before the store is opened: an invalid setting is reported without touching any data.
  forwardOptions(config);
  const opening = openStore(storeOptions(config, process));
  // The caller gets the failure from `startOverStore`.
  opening.catch(() => {});
  // Loaded while the store opens: both take a third of a second.
  const { startOverStore } = await import('./server.ts');
  return startOverStore(config, process, opening);
}
