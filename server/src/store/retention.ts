import { messageOf } from './clickhouse-errors.ts';
import type { MaintenanceLock } from './maintenance-lock.ts';
import { type ObjectName, readObject, replaceObject } from './objects.ts';
import { type Sql, sql } from './sql.ts';
import type { QueryOptions, RetentionLimits, Store } from './store.ts';

/** What one run did: documents that arrived before `beforeUs` are gone. */
export type Pruned = { readonly beforeUs: number; readonly days: number; readonly partOfDay: boolean };

type Database = Pick<Store, 'query' | 'command'> & {
  /** The parts of all shards; those of the one server when left out. */
  readonly parts?: Sql;
};
type DayOfParts = { readonly day: number; readonly bytes: number };

const DAY_US = 86_400_000_000;
const PRUNE_EVERY_MS = 60_000;
/** Rewriting a day may take longer than any query may. */
const MAINTENANCE_LIMITS: QueryOptions = { timeoutMs: 3_600_000, maxMemoryBytes: 0 };
/** Rewriting the last day is dear, so that a run frees more than the limit asks for. */
const TARGET_SHARE_OF_LIMIT = 0.9;

/**
 * Drops what the limits no longer allow. Days are dropped as partitions, which costs nothing; only when the last one
 * is left and still too large its oldest documents are deleted, which rewrites it.
 * Documents go before their entity rows: a document that can be seen has all of them.
 */
export async function prune(database: Database, limits: RetentionLimits, nowUs: number): Promise<Pruned | undefined> {
  const days = await readDays(database);
  const tooOld = daysToDrop(days, { ...limits, bytes: 0 }, nowUs);
  const tooMuch = daysToDrop(days, limits, nowUs);
  const isThinned =
    tooMuch.length > tooOld.length && (await requestRetentionRules(database, days.slice(tooOld.length, -1), limits));
  const dropped = isThinned ? tooOld : tooMuch;
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
  await database.command(
    sql`ALTER TABLE entities DELETE WHERE seq < ${beforeUs} SETTINGS mutations_sync = 1`,
    MAINTENANCE_LIMITS,
  );
  return { beforeUs, days: 0, partOfDay: true };
}

export type RetentionWatermarks = {
  /** All documents that arrived before are gone; undefined when none ever went. */
  readonly droppedBeforeUs: number | undefined;
  /** Of those that arrived before some are gone, by a rule or since all are. */
  readonly prunedBeforeUs: number | undefined;
};

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
 * Prunes now and then; `stop` resolves when a run that is under way has ended. Of several servers on one store one
 * prunes at a time; all learn of it.
 */
export function startPruning(
  database: Database,
  limits: RetentionLimits,
  {
    upkeep,
    onPruned,
    onMarks,
    onFailed,
  }: {
    readonly upkeep: MaintenanceLock;
    onPruned(pruned: Pruned): void;
    onMarks(marks: RetentionWatermarks): void;
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
    const turn = await upkeep.acquire();
    try {
      const pruned = turn && (await prune(stoppable, limits, Date.now() * 1000));
      if (pruned) onPruned(pruned);
    } finally {
      await turn?.release();
    }
    onMarks(await readRetentionWatermarks(stoppable));
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

/** Asks for the oldest of the days that can be thinned; false when all have been. */
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
  const asked = await readObject(database, REQUESTED_DAY);
  if (asked?.body !== String(oldest.day)) await replaceObject(database, REQUESTED_DAY, asked, String(oldest.day));
  return true;
}

/** What has been thinned, by day: in `passed` how long the traces are kept that are gone. See query/retention/apply-rules.ts. */
export const RULE_PROGRESS: ObjectName = { kind: 'thinning', name: 'days' };
/** The day that takes too much on disk. */
const REQUESTED_DAY: ObjectName = { kind: 'thinning', name: 'asked' };

/** The day that is to be thinned of all that no rule keeps longer, since too much is stored. */
export async function readRequestedDay(database: Pick<Store, 'query' | 'command'>): Promise<number | undefined> {
  const asked = await readObject(database, REQUESTED_DAY);
  return asked?.body === undefined ? undefined : Number(asked.body);
}

/** Oldest first. A document counts with its entity rows. */
async function readDays({ query, parts = sql`system.parts` }: Database): Promise<readonly DayOfParts[]> {
  return query<DayOfParts>(sql`
    SELECT toUInt32(partition) AS day, sum(bytes_on_disk) AS bytes FROM ${parts}
    WHERE active AND database = currentDatabase() AND match(table, '^(documents|entities)(_local)?$')
    GROUP BY day ORDER BY day`);
}

/** Oldest first. Size alone never drops the newest day. */
export function daysToDrop(days: readonly DayOfParts[], limits: RetentionLimits, nowUs: number): readonly DayOfParts[] {
  const firstKept = limits.days === 0 ? 0 : Math.floor(nowUs / DAY_US) - limits.days;
  const newest = days.at(-1);
  let left = days.reduce((sum, { bytes }) => sum + bytes, 0);
  const dropped: DayOfParts[] = [];
  for (const day of days) {
    const isTooLarge = limits.bytes > 0 && left > limits.bytes && day !== newest;
    if (day.day >= firstKept && !isTooLarge) break;
    dropped.push(day);
    left -= day.bytes;
  }
  return dropped;
}

/** The arrival time behind which the newest `kept` of all documents lie. */
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

/** Says of documents that arrived before that some are gone. To be called before any is. */
export function recordIncomplete(database: Pick<Store, 'command'>, beforeUs: number): Promise<void> {
  return record(database, RULES_APPLIED, beforeUs);
}

/** Before anything is dropped: an answer may claim too little, but not that it is complete when it is not. */
function record(database: Pick<Store, 'command'>, name: string, beforeUs: number): Promise<void> {
  return database.command(sql`
    INSERT INTO objects (kind, name, version, is_deleted, body)
    SELECT 'retention', ${name}, ${beforeUs}, 0, toString(${beforeUs})`);
}
