import { randomUUID } from 'node:crypto';
import { acquireLease, releaseLease } from './objects.ts';
import type { Store } from './store.ts';

/**
 * Work on the whole store of which one piece runs at a time, on whichever server: a backup must not find documents
 * whose entity rows have been pruned meanwhile.
 */
export type MaintenanceLock = {
  /** Begins a piece of work; undefined while another one runs. `signal` fires when the right to it was lost. */
  acquire(): Promise<HeldMaintenanceLock | undefined>;
};

export type HeldMaintenanceLock = { readonly signal: AbortSignal; release(): Promise<void> };

const LEASE = { name: 'upkeep', ttlMs: 60_000 };

/** On a shared store by a lease, which is renewed as long as the work takes. */
export function newMaintenanceLock(database: Pick<Store, 'query' | 'command'>, isShared: boolean): MaintenanceLock {
  const lease = { ...LEASE, holder: randomUUID() };
  let isBusy = false;

  async function begin(): Promise<HeldMaintenanceLock | undefined> {
    if (isBusy) return undefined;
    isBusy = true;
    const lost = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let renewing: Promise<void> = Promise.resolve();
    try {
      if (isShared) {
        if (!(await acquireLease(database, lease))) {
          isBusy = false;
          return undefined;
        }
        timer = setInterval(() => {
          renewing = acquireLease(database, lease).then(
            (isHeld) => {
              if (!isHeld) lost.abort();
            },
            // The store is away for a moment; should it be longer, others see that the time is over.
            () => undefined,
          );
        }, LEASE.ttlMs / 3);
      }
    } catch (thrown) {
      isBusy = false;
      throw thrown;
    }
    return {
      signal: lost.signal,
      async release() {
        clearInterval(timer);
        await renewing;
        // It ends by itself when that fails.
        if (isShared) await releaseLease(database, lease).catch(() => undefined);
        isBusy = false;
      },
    };
  }

  return { acquire: begin };
}
