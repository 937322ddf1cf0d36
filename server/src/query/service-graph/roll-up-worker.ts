import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fromThrough } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Stats } from '../../stats.ts';
import { acquireLease, releaseLease } from '../../store/objects.ts';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import type { FirstPart } from '../traces/trace-sizes.ts';
import { countUnfilled, fillSummaries } from './fill-summaries.ts';
import { rollUp } from './roll-up.ts';
import { newRollUpProgress } from './roll-up-progress.ts';
import { readRollUpWatermark } from './roll-up-tables.ts';

export type RollUpWorkerOptions = {
  readonly log: {
    info(fields: object, sentence: string): void;
    warn(fields: object, sentence: string): void;
  };
  readonly stats: Pick<Stats, 'rollUp'>;
  /** Pause between two checks for work. On a shared store each check is a query. */
  readonly intervalMs?: number;
  /** Longest pause while nothing waits, on a store of one server. An insert ends it. */
  readonly restMs?: number;
  /** Pause after a failure. */
  readonly retryMs?: number;
  /**
   * Documents that arrived more recently than this are left to a later batch. The low watermark covers only this
   * server: on a shared store, a document of another server that takes longer than this from its arrival to the store
   * is missing from the roll-up.
   */
  readonly watermarkDelayMs?: number;
  /**
   * On a store of one server: all documents up to this `seq` are stored or in flight. It bounds the roll-up in place of
   * the clock, which may have been set back.
   */
  readonly sequenceWatermark?: () => number;
  /** Work that excludes the roll-up. It runs between batches and pauses often. True while there may be more to do. */
  readonly betweenBatches?: (options: {
    readonly signal: AbortSignal;
    readonly pause: () => Promise<void>;
  }) => Promise<boolean>;
};

const INTERVAL_MS = 1_000;
const REST_MS = 30_000;
const WATERMARK_DELAY_MS = 1_000;
/** Documents that were inserted last wait for their watermark delay, but those before them no longer than this. */
const MAX_WAIT_MS = 2_000;
const SHARED_WATERMARK_DELAY_MS = 60_000;
const LEASE = { name: 'service-map', ttlMs: 60_000 };
const LOG_INTERVAL_MS = 10_000;
const RETRY_MS = 10_000;
const FILL_SLICE_MS = 1_000;
/** Traces that are known as reported, so that each is logged and counted once. */
const MAX_REPORTED = 10_000;
/** Longest work without a pause. */
const TIME_SLICE_MS = 5;

/**
 * Rolls up documents soon after they arrive, at two thirds of full speed (half while documents wait to be stored), and
 * deletes the roll-up of days that retention has dropped. Of several servers on one store, the holder of the lease does
 * it. `stop` resolves when the current batch has ended or was aborted; the next start continues from the watermark.
 */
export function startRollUpWorker(store: Store, options: RollUpWorkerOptions): { stop(): Promise<void> } {
  const {
    log,
    intervalMs = INTERVAL_MS,
    restMs = REST_MS,
    retryMs = RETRY_MS,
    watermarkDelayMs = store.isShared ? SHARED_WATERMARK_DELAY_MS : WATERMARK_DELAY_MS,
  } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const holder = randomUUID();
  const progress = store.isShared ? undefined : newRollUpProgress(store.lastSeq);
  let deletedBeforeUs = 0;
  // The first check rolls up the documents of earlier processes.
  let insertedSeq = store.lastSeq;
  let waitsSinceMs: number | undefined = Number.NEGATIVE_INFINITY;
  const unsubscribe = store.onInserted((lastSeq) => {
    insertedSeq = Math.max(insertedSeq, lastSeq);
    waitsSinceMs ??= performance.now();
    endRest();
  });
  let endRest = () => {};
  let isFilled = false;
  let filledTraces = 0;
  let fillLoggedAt = Number.NEGATIVE_INFINITY;
  const reported = new Set<TraceId>();

  function isFirstReport(id: TraceId): boolean {
    if (reported.has(id)) return false;
    if (reported.size >= MAX_REPORTED) reported.clear();
    reported.add(id);
    return true;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const hasLease = !store.isShared || (await acquireLease(store, { ...LEASE, holder }));
        if (hasLease) {
          await deletePruned();
          await catchUp();
          await fill();
          const isMore = await options.betweenBatches?.({ signal, pause: newPauseWithLease() });
          const isIdle = waitsSinceMs === undefined && isFilled && isMore !== true;
          if (isIdle && !store.isShared && !signal.aborted) await rest();
        }
        await delay(intervalMs, undefined, { signal });
      } catch (thrown) {
        if (signal.aborted) return;
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        log.warn({ reason }, 'the roll-up of the service graph failed and will be retried');
        // Documents of the batch that failed still wait, also if no later ones arrive.
        waitsSinceMs = Number.NEGATIVE_INFINITY;
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  function rest(): Promise<void> {
    return new Promise((resolve) => {
      endRest = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', endRest);
        resolve();
      };
      const timer = setTimeout(endRest, restMs);
      signal.addEventListener('abort', endRest);
    });
  }

  function onExceeding(traceId: TraceId, { throughSeq, whole }: FirstPart): void {
    const { missing } = options.stats.rollUp;
    missing.delete(traceId);
    missing.set(traceId, fromThrough(throughSeq, whole.lastSeq));
    for (const oldest of missing.keys()) {
      if (missing.size <= MAX_REPORTED) break;
      missing.delete(oldest);
    }
    if (!isFirstReport(traceId)) return;
    options.stats.rollUp.inPart++;
    const { documents, bytes } = whole;
    log.warn({ traceId, documents, bytes }, 'a trace is too large; the service map counts its first part only');
  }

  function onUncountable(traceId: TraceId, reason: string): void {
    if (!isFirstReport(traceId)) return;
    options.stats.rollUp.skipped++;
    log.warn({ traceId, reason }, 'a trace cannot be counted; the service map leaves it out');
  }

  /**
   * Rolls up the documents before a bound that is chosen once: documents that arrive meanwhile are left to the next
   * check, so that a check ends also while documents arrive all the time.
   */
  async function catchUp(): Promise<void> {
    const latestSeq = options.sequenceWatermark?.() ?? Math.round((Date.now() - watermarkDelayMs) * 1000);
    const toSeq = Math.min(store.lowWatermark() ?? Number.MAX_SAFE_INTEGER, latestSeq);
    if (!(store.isShared ? await hasPending() : isDue(toSeq))) return;
    const began = performance.now();
    waitsSinceMs = insertedSeq > toSeq ? began : undefined;
    let loggedAt = began;
    for (;;) {
      const pause = newPause(store, signal);
      const rolled = await rollUp(store, { toSeq, progress, pause, signal, onExceeding, onUncountable });
      if (rolled === undefined || signal.aborted) break;
      if (store.isShared && !(await acquireLease(store, { ...LEASE, holder }))) break;
      if (performance.now() - loggedAt > LOG_INTERVAL_MS) {
        loggedAt = performance.now();
        const rolledUpThrough = new Date(rolled.toSeq / 1000).toISOString();
        log.info({ rolledUpThrough }, 'the roll-up of the service graph is catching up');
      }
    }
    if (loggedAt > began) {
      const seconds = Math.round((performance.now() - began) / 1000);
      log.info({ seconds }, 'the roll-up of the service graph is up to date');
    }
  }

  /**
   * Renews the lease: work between batches may take longer than it lasts, and excludes the roll-up of other servers.
   */
  function newPauseWithLease(): () => Promise<void> {
    const pause = newPause(store, signal);
    let renewed = performance.now();
    return async () => {
      await pause();
      if (!store.isShared || performance.now() - renewed < LEASE.ttlMs / 3) return;
      if (!(await acquireLease(store, { ...LEASE, holder })))
        throw new Error('another server holds the lease of the roll-up');
      renewed = performance.now();
    };
  }

  /** Continues for FILL_SLICE_MS: documents that arrive meanwhile wait for their roll-up. */
  async function fill(): Promise<void> {
    if (isFilled) return;
    const { summaries } = options.stats.rollUp;
    const pause = newPauseWithLease();
    const began = performance.now();
    while (performance.now() - began < FILL_SLICE_MS && !signal.aborted) {
      if (summaries.isFilled === undefined) summaries.missing = await countUnfilled(store, { signal });
      const filled = await fillSummaries(store, { pause, signal });
      isFilled = filled === undefined;
      filledTraces += filled ?? 0;
      if (isFilled && filledTraces > 0) log.info({ traces: filledTraces }, 'every older trace has its summary');
      summaries.isFilled = isFilled;
      if (isFilled) break;
      summaries.missing = Math.max(0, summaries.missing - (filled ?? 0));
      if (performance.now() - fillLoggedAt < LOG_INTERVAL_MS || filled === 0) continue;
      fillLoggedAt = performance.now();
      log.info({ missing: summaries.missing }, 'summaries of older traces are being written; lists read documents');
    }
  }

  /** Without a query: this process knows of every insert. */
  function isDue(toSeq: number): boolean {
    if (waitsSinceMs === undefined) return false;
    return insertedSeq <= toSeq || performance.now() - waitsSinceMs >= MAX_WAIT_MS;
  }

  /** A cheap query that saves an idle server the search for the end of a batch. */
  async function hasPending(): Promise<boolean> {
    const rollUpWatermark = await readRollUpWatermark(store, { signal });
    const rows = await store.query(sql`SELECT 1 FROM documents WHERE seq > ${rollUpWatermark} LIMIT 1`, { signal });
    return rows.length > 0;
  }

  async function deletePruned(): Promise<void> {
    const beforeUs = store.statistics().droppedBeforeUs ?? 0;
    if (beforeUs <= deletedBeforeUs) return;
    await store.command(sql`ALTER TABLE service_map DELETE WHERE period_s > 0 AND ends_us <= ${beforeUs}`, { signal });
    await store.command(sql`ALTER TABLE trace_summaries DELETE WHERE last_seq < ${beforeUs}`, { signal });
    deletedBeforeUs = beforeUs;
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      unsubscribe();
      await running;
      // The lease expires when this fails.
      if (store.isShared) await releaseLease(store, { ...LEASE, holder }).catch(() => undefined);
    },
  };
}

/**
 * Pauses after each step for half as long as the step took; for as long as the step while documents wait to be stored.
 * A longer pause costs more CPU: a worker that falls behind has to read and parse documents that the cache has
 * evicted.
 */
function newPause(store: Store, signal: AbortSignal): () => Promise<void> {
  let resumed = performance.now();
  return async () => {
    if (performance.now() - resumed < TIME_SLICE_MS) return;
    const factor = store.statistics().queued > 0 ? 1 : 0.5;
    await delay(factor * (performance.now() - resumed), undefined, { signal });
    resumed = performance.now();
  };
}
