import { randomUUID } from 'node:crypto';
import { releaseLease, takeLease } from './objects.ts';
import type { Store } from './store.ts';

/**
 * Work on the whole store of which one piece runs at a time, on whichever server: a backup must not find documents
 * whose entity rows have been pruned meanwhile.
 */
export type Upkeep = {
  /** Begins a piece of work; undefined while another one runs. `signal` fires when the right to it was lost. */
  begin(): Promise<UpkeepTurn | undefined>;
};

export type UpkeepTurn = { readonly signal: AbortSignal; end(): Promise<void> };

const LEASE = { name: 'upkeep', ttlMs: 60_000 };

/** On a shared store by a lease, which is renewed as long as the work takes. */
export function newUpkeep(database: Pick<Store, 'query' | 'command'>, isShared: boolean): Upkeep {
  const lease = { ...LEASE, holder: randomUUID() };
  let isBusy = false;

  async function begin(): Promise<UpkeepTurn | undefined> {
    if (isBusy) return undefined;
    isBusy = true;
    const lost = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let renewing: Promise<void> = Promise.resolve();
    try {
      if (isShared) {
        if (!(await takeLease(database, lease))) {
          isBusy = false;
          return undefined;
        }
        timer = setInterval(() => {
          renewing = takeLease(database, lease).then(
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
      async end() {
        clearInterval(timer);
        await renewing;
        // It ends by itself when that fails.
        if (isShared) await releaseLease(database, lease).catch(() => undefined);
        isBusy = false;
      },
    };
  }

  return { begin };
}
