import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireLease, releaseLease } from '../../store/objects.ts';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { rollUp } from './roll-up.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';

export type RollUpWorkerOptions = {
  readonly log: {
    info(fields: object, sentence: string): void;
    warn(fields: object, sentence: string): void;
  };
  /** How often to look for what has arrived. */
  readonly intervalMs?: number;
  /**
   * Documents that arrived so recently are left to the next batch. Of other servers nobody tells what they have taken
   * and not stored yet: on a shared store this is how long a document may take from its arrival into the store.
   */
  readonly watermarkDelayMs?: number;
  /** Work during which nothing may be counted, done between batches and a little at a time. */
  readonly betweenBatches?: (options: {
    readonly signal: AbortSignal;
    readonly pause: () => Promise<void>;
  }) => Promise<void>;
};

const INTERVAL_MS = 1_000;
const WATERMARK_DELAY_MS = 1_000;
const SHARED_WATERMARK_DELAY_MS = 60_000;
const LEASE = { name: 'service-map', ttlMs: 60_000 };
const LOG_INTERVAL_MS = 10_000;
const RETRY_DELAY_MS = 10_000;
/** Other work waits this long, then it has its turn. */
const TIME_SLICE_MS = 5;

/**
 * Counts documents for the service map soon after they arrive, at two thirds of the pace that it could (half of it while documents
 * wait to be stored), and forgets what was counted of times that retention has dropped. Of several servers on one store one does. `stop` resolves when a batch
 * that is under way has ended or was given up; what was not counted is when somebody looks again.
 */
export function startRollUpWorker(store: Store, options: RollUpWorkerOptions): { stop(): Promise<void> } {
  const {
    log,
    intervalMs: everyMs = INTERVAL_MS,
    watermarkDelayMs: settleMs = store.isShared ? SHARED_WATERMARK_DELAY_MS : WATERMARK_DELAY_MS,
  } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const holder = randomUUID();
  let forgottenBeforeUs = 0;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const isOurs = !store.isShared || (await acquireLease(store, { ...LEASE, holder }));
        if (isOurs) {
          await forgetPruned();
          await catchUp();
          await options.betweenBatches?.({ signal, pause: pausesWithLease() });
        }
        await delay(everyMs, undefined, { signal });
      } catch (thrown) {
        if (signal.aborted) return;
        log.warn({ reason: thrown instanceof Error ? thrown.message : String(thrown) }, 'the service map lags behind');
        await delay(RETRY_DELAY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async function catchUp(): Promise<void> {
    if (!(await hasUncounted())) return;
    const began = performance.now();
    let said = began;
    for (;;) {
      const toSeq = Math.min(
        store.lowWatermark() ?? Number.MAX_SAFE_INTEGER,
        Math.round((Date.now() - settleMs) * 1000),
      );
      const rolled = await rollUp(store, { toSeq, pause: newPause(store, signal), signal });
      if (rolled === undefined || signal.aborted) break;
      if (store.isShared && !(await acquireLease(store, { ...LEASE, holder }))) break;
      if (performance.now() - said > LOG_INTERVAL_MS) {
        said = performance.now();
        log.info({ countedUpTo: new Date(rolled.toSeq / 1000).toISOString() }, 'the service map is catching up');
      }
    }
    if (said > began)
      log.info({ seconds: Math.round((performance.now() - began) / 1000) }, 'the service map is up to date');
  }

  /** Other work may take longer than the lease lasts. Nobody else may count meanwhile. */
  function pausesWithLease(): () => Promise<void> {
    const pause = newPause(store, signal);
    let renewed = performance.now();
    return async () => {
      await pause();
      if (!store.isShared || performance.now() - renewed < LEASE.ttlMs / 3) return;
      if (!(await acquireLease(store, { ...LEASE, holder }))) throw new Error('another server counts now');
      renewed = performance.now();
    };
  }

  /** Cheap: spares an idle server the search for the end of a batch. */
  async function hasUncounted(): Promise<boolean> {
    const countedSeq = await readRollUpWatermark(store, { signal });
    const rows = await store.query(sql`SELECT 1 FROM documents WHERE seq > ${countedSeq} LIMIT 1`, { signal });
    return rows.length > 0;
  }

  async function forgetPruned(): Promise<void> {
    const beforeUs = store.statistics().droppedBeforeUs ?? 0;
    if (beforeUs <= forgottenBeforeUs) return;
    await store.command(sql`ALTER TABLE service_map DELETE WHERE period_s > 0 AND ends_us <= ${beforeUs}`, { signal });
    forgottenBeforeUs = beforeUs;
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
      // It ends by itself when that fails.
      if (store.isShared) await releaseLease(store, { ...LEASE, holder }).catch(() => undefined);
    },
  };
}

/**
 * Rests after each step for half as long as the step took, and as long while there is more urgent work: not longer,
 * since who falls behind has to read and parse what would still be at hand.
 */
function newPause(store: Store, signal: AbortSignal): () => Promise<void> {
  let resumed = performance.now();
  return async () => {
    if (performance.now() - resumed < TIME_SLICE_MS) return;
    const rests = store.statistics().queued > 0 ? 1 : 0.5;
    await delay(rests * (performance.now() - resumed), undefined, { signal });
    resumed = performance.now();
  };
}
