import { rollUpLagUs } from '../../query/service-graph/roll-up-lag.ts';
import type { Stats } from '../../stats.ts';
import type { Store, StoreCheck } from '../../store/store.ts';

/**
 * One part of the server: `ok`, `degraded` (some responses are late or incomplete), `not-ready` (documents or queries
 * fail, and this may pass), or `down` (a restart is needed).
 */
export type HealthCheck = {
  readonly name: string;
  readonly ok: boolean;
  readonly state: StoreCheck['state'];
  readonly sentence: string;
};

export type Health = {
  readonly status: 'ok' | 'degraded' | 'failing';
  /** Whether the server can take documents and answer queries. */
  readonly isReady: boolean;
  readonly checks: readonly HealthCheck[];
};

/** Documents wait for the roll-up some seconds, and minutes after a large import. */
const ROLL_UP_STUCK_AFTER_S = 300;
const ROLL_UP_TIMEOUT_MS = 2_000;
/** Simultaneous and rapid requests share one run of the checks. */
const REUSE_MS = 1_000;

export type HealthContext = { readonly store: Store; readonly stats: Pick<Stats, 'rollUp'> };

/** Runs the checks when it is called, at most once in REUSE_MS. */
export function newHealthChecks(
  context: HealthContext,
  nowMs: () => number = () => performance.now(),
): () => Promise<Health> {
  let latest: { readonly atMs: number; readonly health: Promise<Health> } | undefined;
  return () => {
    if (latest === undefined || nowMs() - latest.atMs > REUSE_MS) {
      latest = { atMs: nowMs(), health: readHealth(context) };
    }
    return latest.health;
  };
}

async function readHealth({ store, stats }: HealthContext): Promise<Health> {
  const [storeChecks, rollUp] = await Promise.all([store.checks(), checkRollUp(store)]);
  return healthOf([...storeChecks, rollUp, checkCountedTraces(stats), checkSummaries(stats)]);
}

/** Traces since the start of the server that the service map does not count as a whole. */
function checkCountedTraces({ rollUp: { inPart, skipped } }: HealthContext['stats']): StoreCheck {
  const name = 'service-map';
  if (inPart === 0 && skipped === 0) return { name, state: 'ok', sentence: 'The service map counts every trace' };
  const sentence = `The service map counts only the first part of ${inPart} traces, which are too large, and leaves out ${skipped}`;
  return { name, state: 'degraded', sentence };
}

/** A store of an earlier version is complete meanwhile, but its lists read documents. */
function checkSummaries({ rollUp: { summaries } }: HealthContext['stats']): StoreCheck {
  const name = 'trace-summaries';
  if (summaries.isFilled !== false) return { name, state: 'ok', sentence: 'Lists read the summaries of traces' };
  const sentence = `Lists read documents until ${summaries.missing} older traces have their summaries`;
  return { name, state: 'ok', sentence };
}

export function healthOf(checks: readonly StoreCheck[]): Health {
  const has = (state: StoreCheck['state']) => checks.some((check) => check.state === state);
  return {
    status: has('down') ? 'failing' : has('not-ready') || has('degraded') ? 'degraded' : 'ok',
    isReady: !has('down') && !has('not-ready'),
    checks: checks.map(({ name, state, sentence }) => ({ name, ok: state === 'ok', state, sentence })),
  };
}

async function checkRollUp(store: Store): Promise<StoreCheck> {
  const name = 'roll-up';
  try {
    const seconds = Math.round((await rollUpLagUs(store, { signal: AbortSignal.timeout(ROLL_UP_TIMEOUT_MS) })) / 1e6);
    return seconds < ROLL_UP_STUCK_AFTER_S
      ? { name, state: 'ok', sentence: `The roll-up of the service map is ${seconds} s behind` }
      : { name, state: 'degraded', sentence: `The roll-up of the service map is ${seconds} s behind; see the log` };
  } catch {
    return { name, state: 'degraded', sentence: 'How far the roll-up is behind cannot be read' };
  }
}
