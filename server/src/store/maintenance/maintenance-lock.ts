import { randomUUID } from 'node:crypto';
import { acquireLease, releaseLease } from '../objects.ts';
import type { HeldMaintenanceLock, Store } from '../store.ts';

/**
 * Lock for work on the whole store: backups and retention, on all servers. A backup must not contain documents whose
 * entity rows were deleted while it ran.
 */
export type MaintenanceLock = {
  /** Undefined while the lock is held. */
  acquire(): Promise<HeldMaintenanceLock | undefined>;
};

const LEASE = { name: 'upkeep', ttlMs: 60_000 };

/** On a shared store the lock is a lease, which is renewed until `release`. */
export function newMaintenanceLock(database: Pick<Store, 'query' | 'command'>, isShared: boolean): MaintenanceLock {
  const lease = { ...LEASE, holder: randomUUID() };
  let isHeldHere = false;

  async function acquire(): Promise<HeldMaintenanceLock | undefined> {
    if (isHeldHere) return undefined;
    isHeldHere = true;
    const lost = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let renewing: Promise<void> = Promise.resolve();
    try {
      if (isShared) {
        if (!(await acquireLease(database, lease))) {
          isHeldHere = false;
          return undefined;
        }
        timer = setInterval(() => {
          renewing = acquireLease(database, lease).then(
            (isHeld) => {
              if (!isHeld) lost.abort();
            },
            // The store is unreachable. If it stays so, the lease expires and other servers may acquire it.
            () => undefined,
          );
        }, LEASE.ttlMs / 3);
      }
    } catch (thrown) {
      isHeldHere = false;
      throw thrown;
    }
    return {
      signal: lost.signal,
      async release() {
        clearInterval(timer);
        await renewing;
        // The lease expires if this fails.
        if (isShared) await releaseLease(database, lease).catch(() => undefined);
        isHeldHere = false;
      },
    };
  }

  return { acquire };
}
