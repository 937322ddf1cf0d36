import { SHARED_ARRIVAL_US } from '../attributes.ts';
import { messageOf } from '../engine/clickhouse-errors.ts';
import { type ObjectName, readObject, replaceObject } from '../objects.ts';
import { type Sql, sql } from '../sql.ts';
import type { QueryOptions, RetentionLimits, RetentionWatermarks, Store, TrustedClock } from '../store.ts';
import type { MaintenanceLock } from './maintenance-lock.ts';
import type { RecordedClock } from './trusted-clock.ts';

/** Result of one run: all documents that arrived before `beforeUs` are deleted. */
export type Pruned = { readonly beforeUs: number; readonly days: number; readonly partOfDay: boolean };

type Database = Pick<Store, 'query' | 'command'> & {
  /** The parts of all shards; `system.parts` by default. */
  readonly parts?: Sql;
};
type DayOfParts = { readonly day: number; readonly bytes: number };

const DAY_US = 86_400_000_000;
const PRUNE_EVERY_MS = 60_000;
/** Rewriting a day may take longer than the limit of a query. */
const MAINTENANCE_LIMITS: QueryOptions = { timeoutMs: 3_600_000, maxMemoryBytes: 0 };
/** Rewriting the last day is expensive, so a run frees more than the limit requires. */
const TARGET_SHARE_OF_LIMIT = 0.9;

/**
 * Deletes documents beyond the limits. Days are dropped as partitions, which is cheap. Only if a single day is left and
 * is still too large, its oldest documents are deleted, which rewrites the day.
 * Documents are deleted before their entity rows: every visible document has all its entity rows.
 */
export async function prune(
  database: Database,
  limits: RetentionLimits,
  ageInDays: TrustedClock['ageInDays'],
): Promise<Pruned | undefined> {
  const days = await readDays(database);
  const tooOld = daysToDrop(days, { ...limits, bytes: 0 }, ageInDays);
  const tooMuch = daysToDrop(days, limits, ageInDays);
  const areRulesRequested =
    tooMuch.length > tooOld.length && (await requestRetentionRules(database, days.slice(tooOld.length, -1), limits));
  const dropped = areRulesRequested ? tooOld : tooMuch;
  const last = dropped.at(-1);
  if (last) {
    const beforeUs = (last.day + 1) * DAY_US;
    await record(database, DROPPED, beforeUs);
    for (const { day } of dropped) await dropDay(database, day);
    return { beforeUs, days: dropped.length, partOfDay: false };
  }
  const [only] = days;
  if (days.length !== 1 || only === undefined || limits.bytes === 0 || only.bytes <= limits.bytes) return undefined;
  const beforeUs = await cutOffUs(database, (limits.bytes * TARGET_SHARE_OF_LIMIT) / only.bytes);
  await record(database, DROPPED, beforeUs);
  await database.command(
    sql`ALTER TABLE documents DELETE WHERE seq < ${beforeUs} SETTINGS mutations_sync = 1`,
    MAINTENANCE_LIMITS,
  );
  // Documents that stay may share attributes with rows of earlier ones. The next run deletes these.
  await database.command(
    sql`ALTER TABLE entities DELETE WHERE seq < ${beforeUs - SHARED_ARRIVAL_US} SETTINGS mutations_sync = 1`,
    MAINTENANCE_LIMITS,
  );
  return { beforeUs, days: 0, partOfDay: true };
}

export async function readRetentionWatermarks(database: Database): Promise<RetentionWatermarks> {
  const rows = await database.query<{ name: string; beforeUs: number }>(
    sql`SELECT name, max(toUInt64(body)) AS beforeUs FROM objects WHERE kind = 'retention' GROUP BY name`,
  );
  const times = new Map(rows.map(({ name, beforeUs }) => [name, beforeUs]));
  const droppedBeforeUs = times.get(DROPPED);
  const prunedBeforeUs = Math.max(droppedBeforeUs ?? 0, times.get(RULES_APPLIED) ?? 0);
  return { droppedBeforeUs, prunedBeforeUs: prunedBeforeUs === 0 ? undefined : prunedBeforeUs };
}

const DROPPED = 'pruned-before-us';
const RULES_APPLIED = 'thinned-before-us';

/**
 * Prunes every PRUNE_EVERY_MS. `stop` resolves when the current run has ended. Of several servers on one store only one
 * prunes at a time; every server reads the watermarks after each of its runs.
 */
export function startPruning(
  database: Database,
  limits: RetentionLimits,
  {
    clock,
    maintenanceLock,
    isComplete,
    onPruned,
    onWatermarks,
    onFailed,
  }: {
    readonly clock: RecordedClock;
    readonly maintenanceLock: MaintenanceLock;
    /** Nothing is deleted before it resolves: documents of an earlier process would be inserted into a deleted day. */
    readonly isComplete: Promise<void>;
    onPruned(pruned: Pruned): void;
    onWatermarks(watermarks: RetentionWatermarks): void;
    onFailed(reason: string): void;
  },
): { stop(): Promise<void> } {
  if (limits.days === 0 && limits.bytes === 0) return { stop: async () => {} };
  const stopping = new AbortController();
  const stoppable: Database = {
    ...database,
    query: (statement, options) => database.query(statement, { ...options, signal: stopping.signal }),
    command: (statement, options) => database.command(statement, { ...options, signal: stopping.signal }),
  };
  const runOnce = async () => {
    await isComplete;
    const lock = await maintenanceLock.acquire();
    try {
      await clock.observe({ mayRecord: lock !== undefined });
      const pruned = lock && (await prune(stoppable, limits, clock.ageInDays));
      if (pruned) onPruned(pruned);
    } finally {
      await lock?.release();
    }
    onWatermarks(await readRetentionWatermarks(stoppable));
  };
  let running: Promise<void> | undefined;
  const run = () => {
    running ??= runOnce()
      .catch((thrown) => {
        if (!stopping.signal.aborted) onFailed(messageOf(thrown));
      })
      .finally(() => {
        running = undefined;
      });
  };
  const timer = setInterval(run, PRUNE_EVERY_MS);
  run();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}

/** Requests that retention rules are applied to the oldest candidate day; false if they were applied to all. */
async function requestRetentionRules(
  database: Database,
  candidates: readonly DayOfParts[],
  { days, defaultDays = days }: RetentionLimits,
): Promise<boolean> {
  if (defaultDays >= days) return false;
  const progress = await readObject(database, RULE_PROGRESS);
  const { passed = {} }: { passed?: Readonly<Record<string, number>> } = JSON.parse(progress?.body ?? '{}');
  const oldest = candidates.find(({ day }) => (passed[day] ?? 0) < defaultDays);
  if (oldest === undefined) return false;
  const requested = await readObject(database, REQUESTED_DAY);
  if (requested?.body !== String(oldest.day)) {
    await replaceObject(database, REQUESTED_DAY, requested, String(oldest.day));
  }
  return true;
}

/**
 * Progress of retention rules. `passed`, by day: traces that are kept for up to this many days are deleted. See
 * query/retention/apply-rules.ts.
 */
export const RULE_PROGRESS: ObjectName = { kind: 'thinning', name: 'days' };
/** The day to which rules are applied early, as the store is too large. */
const REQUESTED_DAY: ObjectName = { kind: 'thinning', name: 'asked' };

/** The day of which all traces that no rule keeps longer should be deleted, as the store is too large. */
export async function readRequestedDay(database: Pick<Store, 'query' | 'command'>): Promise<number | undefined> {
  const requested = await readObject(database, REQUESTED_DAY);
  return requested?.body === undefined ? undefined : Number(requested.body);
}

/** Oldest first. Sizes include the entity rows. */
async function readDays({ query, parts = sql`system.parts` }: Database): Promise<readonly DayOfParts[]> {
  return query<DayOfParts>(sql`
    SELECT toUInt32(partition) AS day, sum(bytes_on_disk) AS bytes FROM ${parts}
    WHERE active AND database = currentDatabase() AND match(table, '^(documents|entities)(_local)?$')
    GROUP BY day ORDER BY day`);
}

/** Oldest first. The newest day is never dropped for its size. */
export function daysToDrop(
  days: readonly DayOfParts[],
  limits: RetentionLimits,
  ageInDays: TrustedClock['ageInDays'],
): readonly DayOfParts[] {
  const newest = days.at(-1);
  let left = days.reduce((sum, { bytes }) => sum + bytes, 0);
  const dropped: DayOfParts[] = [];
  for (const day of days) {
    const isTooLarge = limits.bytes > 0 && left > limits.bytes && day !== newest;
    const isTooOld = limits.days > 0 && ageInDays(day.day) > limits.days;
    if (!isTooOld && !isTooLarge) break;
    dropped.push(day);
    left -= day.bytes;
  }
  return dropped;
}

/** The arrival time after which the newest documents arrived; `kept` is their share of all, 0 to 1. */
async function cutOffUs(database: Database, kept: number): Promise<number> {
  const rows = await database.query<{ beforeUs: number }>(
    sql`SELECT toUInt64(quantile(${sql.typed(1 - kept, 'Float64')})(seq)) AS beforeUs FROM documents`,
  );
  return rows[0]?.beforeUs ?? 0;
}

async function dropDay(database: Database, day: number): Promise<void> {
  const partition = sql.typed(day, 'UInt64');
  await database.command(sql`ALTER TABLE documents DROP PARTITION ${partition}`);
  await database.command(sql`ALTER TABLE entities DROP PARTITION ${partition}`);
}

/** Records that some documents that arrived before `beforeUs` are deleted. Call before deleting. */
export function recordIncomplete(database: Pick<Store, 'command'>, beforeUs: number): Promise<void> {
  return record(database, RULES_APPLIED, beforeUs);
}

/** Call before deleting: a complete result may be marked as incomplete, but never the reverse. */
function record(database: Pick<Store, 'command'>, name: string, beforeUs: number): Promise<void> {
  return database.command(sql`
    INSERT INTO objects (kind, name, version, is_deleted, body)
    SELECT 'retention', ${name}, ${beforeUs}, 0, toString(${beforeUs})`);
}
