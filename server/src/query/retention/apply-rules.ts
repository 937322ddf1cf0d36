import { createHash } from 'node:crypto';
import type { TraceId } from '../../model/trace-id.ts';
import { traceIdsSql } from '../../store/ids.ts';
import { RULE_PROGRESS, readRequestedDay } from '../../store/maintenance/retention.ts';
import { readObject, replaceObject, type StoredObject } from '../../store/objects.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store, TrustedClock } from '../../store/store.ts';
import { newCorrectionBlock } from '../../store/write/roll-up-rows.ts';
import type { GroupOwner } from '../groups.ts';
import { type MinuteGraphs, periodsOf } from '../service-graph/periods.ts';
import { readRollUpWatermark } from '../service-graph/roll-up-tables.ts';
import { newSummaryChanges } from '../service-graph/summary-changes.ts';
import { consumersOf, contributionPairsOf } from '../service-graph/trace-changes.ts';
import { addToMinuteGraphs } from '../service-graph/trace-contribution.ts';
import { pushDownFilter } from '../traces/filter-pushdown.ts';
import { assembledTraces, documentGroups } from '../traces/load-traces.ts';
import { anyOf, prefilterSql } from '../traces/prefilter.ts';
import { longestExpiredDays, type RetentionPlan, resolvePlanGroups, retentionDaysOf } from './rules.ts';

const DAY_US = 86_400_000_000;
/** Traces of one step. */
const TRACES_PER_SLICE = 20_000;
const LOAD_BATCH = 100;
const IDLE_INTERVAL_MS = 60_000;
/** Ids in one statement: the embedded engine accepts statements up to 256 KiB. */
const MAX_IDS = 4_000;
/** The prefilter of a rule reads rows that arrived up to this long before and after the day. */
const PREFILTER_MARGIN_US = 7 * DAY_US;
/** Rewriting a day may take longer than the limit of queries. */
const MAINTENANCE_LIMITS: QueryOptions = { timeoutMs: 3_600_000, maxMemoryBytes: 0 };

/** A day to which the rules are being applied, slice by slice. The hash of its id puts a trace into a slice. */
type CurrentDay = {
  readonly day: number;
  /** Traces with this retention or a shorter one are deleted. */
  readonly days: number;
  readonly slices: number;
  readonly next: number;
  /** Some rows of the next slice may have been deleted, so that a prefilter could miss a trace. */
  readonly isBegun: boolean;
};

/** Stored as JSON, so that another server or the next start continues here. The names of members are stored, too. */
type Progress = {
  /** Hash of the rules. Other rules are applied to every day again. */
  readonly plan: string;
  /** For each finished day, the `days` for which the rules were applied. */
  readonly passed: Readonly<Record<string, number>>;
  readonly underWay?: CurrentDay | undefined;
};

export type ApplyRulesOptions = {
  readonly signal?: AbortSignal;
  /** Called between steps of work that each hold up the process for some tens of milliseconds. */
  readonly pause?: (() => Promise<void>) | undefined;
  readonly tracesPerSlice?: number;
  /** Called when all traces of a day with a retention of `days` or shorter are deleted. */
  readonly onDayFinished?: (finished: { readonly day: string; readonly days: number }) => void;
};

/**
 * Deletes the next expired traces of a day that retention rules keep in part: those of one slice of the oldest such
 * day. Their contributions are subtracted from the roll-up. True while there may be more to do. Do not call it while
 * documents are rolled up.
 *
 * A step that was interrupted begins the slice again. The subtraction is not repeated, since the engine knows its
 * insert token; documents are deleted last, since they decide which traces are expired.
 */
export async function applyRetentionRules(
  store: Store,
  plan: RetentionPlan,
  ageInDays: TrustedClock['ageInDays'],
  { pause, onDayFinished, tracesPerSlice = TRACES_PER_SLICE, ...options }: ApplyRulesOptions = {},
): Promise<boolean> {
  const stored = await readObject(store, RULE_PROGRESS);
  const progress = progressOf(stored, planHash(plan));
  const current = progress.underWay ?? (await nextDay(store, plan, progress, { ageInDays, tracesPerSlice }, options));
  if (current === undefined) return false;
  const lock = await store.acquireMaintenanceLock();
  if (lock === undefined) return true;
  try {
    await store.recordIncomplete((current.day + 1) * DAY_US);
    const ids = await expiryCandidates(store, plan, current, options);
    const begun =
      ids.length > 0
        ? await writeProgress(store, stored, { ...progress, underWay: { ...current, isBegun: true } })
        : stored;
    if (ids.length > 0 && begun === undefined) return true;
    await applyToSlice(store, plan, current, ids, { ...options, pause });
    const next = current.next + 1;
    const isLastSlice = next === current.slices;
    if (isLastSlice) await applyDeletedMask(store, current.day);
    await writeProgress(store, begun, {
      ...progress,
      ...(isLastSlice && { passed: { ...progress.passed, [current.day]: current.days } }),
      underWay: isLastSlice ? undefined : { ...current, next, isBegun: false },
    });
    if (isLastSlice) onDayFinished?.({ day: isoDate(current.day), days: current.days });
    return true;
  } finally {
    await lock.release();
  }
}

const isoDate = (day: number): string => new Date(day * (DAY_US / 1000)).toISOString().slice(0, 10);

export type RetentionRuleRunnerOptions = Pick<ApplyRulesOptions, 'onDayFinished'> & {
  /** Owner of the groups that the rules may name. */
  readonly owner: GroupOwner;
  /** Called with the rules that name unknown groups, each time this list changes. */
  readonly onUnknownGroups?: (rules: readonly string[]) => void;
  readonly ageInDays?: TrustedClock['ageInDays'];
  readonly monotonicMs?: () => number;
};

/** The result does one step of `applyRetentionRules` a call, and checks at most once a minute without work. */
export function newRetentionRuleRunner(
  store: Store,
  plan: RetentionPlan,
  {
    owner,
    onDayFinished,
    onUnknownGroups,
    ageInDays = store.clock.ageInDays,
    monotonicMs = () => performance.now(),
  }: RetentionRuleRunnerOptions,
): (options: ApplyRulesOptions) => Promise<boolean> {
  let idleUntilMs = Number.NEGATIVE_INFINITY;
  let unknown = '';
  // Kept after a failure: the retry must apply the same rules, since the roll-up may already be changed by them.
  let planNow: RetentionPlan | undefined;
  return async (options) => {
    const atMs = monotonicMs();
    if (plan.rules.length === 0 || atMs < idleUntilMs) return false;
    planNow ??= await resolvePlanGroups(store, owner, plan);
    reportUnknownGroups(planNow.rules.flatMap(({ filter }, index) => (filter ? [] : (plan.rules[index]?.text ?? []))));
    const isMore = await applyRetentionRules(store, planNow, ageInDays, {
      ...options,
      ...(onDayFinished && { onDayFinished }),
    });
    planNow = undefined;
    if (!isMore) idleUntilMs = atMs + IDLE_INTERVAL_MS;
    return isMore;
  };

  function reportUnknownGroups(rules: readonly string[]): void {
    const text = rules.join('; ');
    if (text !== unknown && rules.length > 0) onUnknownGroups?.(rules);
    unknown = text;
  }
}

function planHash({ defaultDays, rules }: RetentionPlan): string {
  const text = JSON.stringify([defaultDays, ...rules.map((rule) => rule.text)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function progressOf(stored: StoredObject | undefined, plan: string): Progress {
  const known: Progress | undefined = stored?.body === undefined ? undefined : JSON.parse(stored.body);
  return known?.plan === plan ? known : { plan, passed: {} };
}

/** The object as stored now; undefined when another server has changed it. */
async function writeProgress(
  store: Store,
  before: StoredObject | undefined,
  progress: Progress,
): Promise<StoredObject | undefined> {
  const body = JSON.stringify(progress);
  const isWritten = await replaceObject(store, RULE_PROGRESS, before, body);
  return isWritten ? { version: (before?.version ?? 0) + 1, body } : undefined;
}

async function nextDay(
  store: Store,
  plan: RetentionPlan,
  { passed }: Progress,
  { ageInDays, tracesPerSlice }: { readonly ageInDays: TrustedClock['ageInDays']; readonly tracesPerSlice: number },
  options: QueryOptions,
): Promise<CurrentDay | undefined> {
  const rows = await store.query<{ day: number }>(
    sql`SELECT DISTINCT toUInt32(_partition_id) AS day FROM documents ORDER BY day`,
    options,
  );
  const requestedDay = await readRequestedDay(store);
  for (const { day } of rows) {
    const days = Math.max(longestExpiredDays(plan, ageInDays(day)) ?? 0, day === requestedDay ? plan.defaultDays : 0);
    if ((passed[day] ?? 0) >= days) continue;
    const [row] = await store.query<{ traces: number }>(
      sql`SELECT uniq(trace_id) AS traces FROM documents WHERE ${inDay(day)}`,
      options,
    );
    return { day, days, slices: Math.ceil((row?.traces ?? 0) / tracesPerSlice) || 1, next: 0, isBegun: false };
  }
  return undefined;
}

const inDay = (day: number): Sql => sql`seq >= ${day * DAY_US} AND seq < ${(day + 1) * DAY_US}`;

const inSlice = ({ slices, next }: CurrentDay): Sql =>
  sql`cityHash64(trace_id) % ${sql.typed(slices, 'UInt64')} = ${sql.typed(next, 'UInt64')}`;

async function applyToSlice(
  store: Store,
  plan: RetentionPlan,
  current: CurrentDay,
  ids: readonly TraceId[],
  { pause, ...options }: ApplyRulesOptions,
): Promise<void> {
  const kept: TraceId[] = [];
  const expired: TraceId[] = [];
  for (let first = 0; first < ids.length; first += LOAD_BATCH) {
    const batch = ids.slice(first, first + LOAD_BATCH);
    const daysOf = new Map<TraceId, number>();
    for await (const group of documentGroups(store, batch, options)) {
      for (const trace of assembledTraces(group)) daysOf.set(trace.id, retentionDaysOf(plan, trace));
    }
    for (const id of batch) ((daysOf.get(id) ?? plan.defaultDays) > current.days ? kept : expired).push(id);
    await pause?.();
  }
  if (expired.length === 0) return;
  await subtractFromRollUps(store, expired, current, planHash(plan), { pause, ...options });
  // `ids` are all traces of the slice only when the default retention is over. Then the list of kept traces is shorter.
  const areAllLoaded = plan.defaultDays <= current.days;
  const conditions =
    areAllLoaded && kept.length <= Math.min(expired.length, MAX_IDS)
      ? [sql`trace_id NOT IN ${traceIdsSql(kept)}`]
      : chunks(expired).map((chunk) => sql`trace_id IN ${traceIdsSql(chunk)}`);
  const partition = sql.typed(current.day, 'UInt64');
  for (const table of [sql`entities`, sql`documents`]) {
    for (const condition of conditions) {
      const where = sql.and([inSlice(current), condition]);
      await store.command(sql`DELETE FROM ${table} IN PARTITION ${partition} WHERE ${where}`, {
        ...MAINTENANCE_LIMITS,
        ...options,
      });
    }
  }
}

/**
 * Traces of the slice that may have expired: all when the default retention is over, else those that a rule may match.
 */
async function expiryCandidates(
  store: Store,
  { rules, defaultDays }: RetentionPlan,
  current: CurrentDay,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const { day, days, isBegun } = current;
  const expiredRules = rules.flatMap((rule) => (rule.days <= days && rule.filter ? [rule.filter.condition] : []));
  const prefilter = defaultDays <= days || isBegun ? undefined : anyOf(expiredRules.map(pushDownFilter));
  const near = sql`seq >= ${day * DAY_US - PREFILTER_MARGIN_US} AND seq < ${(day + 1) * DAY_US + PREFILTER_MARGIN_US}`;
  const where = [inDay(day), inSlice(current), ...(prefilter ? [prefilterSql(prefilter, near)] : [])];
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id
      FROM (SELECT DISTINCT trace_id AS trace FROM documents WHERE ${sql.and(where)} ORDER BY trace)`,
    options,
  );
  return rows.map((row) => row.trace_id);
}

/**
 * Replaces the contributions of expired traces, and of the consumers of their messages, by those after the deletion.
 * Likewise the summaries of expired traces, first: a summary may not cover deleted documents.
 */
async function subtractFromRollUps(
  store: Store,
  expired: readonly TraceId[],
  { day, days, slices, next }: CurrentDay,
  plan: string,
  { pause, ...options }: ApplyRulesOptions,
): Promise<void> {
  const rollUpWatermark = await readRollUpWatermark(store, options);
  const expiredIds = new Set(expired);
  const consumers = await consumersOf(store, expired, sql`seq <= ${rollUpWatermark}`, options);
  const traceIds = [...new Set([...expired, ...consumers])];
  const isRolledUp = ({ seq }: { readonly seq: number }) => seq <= rollUpWatermark;
  const isOfDay = ({ seq }: { readonly seq: number }) => Math.floor(seq / DAY_US) === day;
  const minutes: MinuteGraphs = new Map();
  const summaries = newSummaryChanges(rollUpWatermark);
  const batches = contributionPairsOf(
    store,
    traceIds,
    {
      reduced: (document) => isRolledUp(document) && !(expiredIds.has(document.traceId) && isOfDay(document)),
      full: isRolledUp,
      reducedSql: (id) =>
        sql.and([sql`seq <= ${rollUpWatermark}`, ...(expiredIds.has(id) ? [sql`NOT (${inDay(day)})`] : [])]),
    },
    {
      ...options,
      isPartWanted: (id, part) => {
        if (expiredIds.has(id)) summaries.addExceeding(id, part);
        return true;
      },
    },
  );
  for await (const pairs of batches) {
    for (const { id, reduced, full, documents } of pairs) {
      if (expiredIds.has(id)) {
        const left = documents.filter((document) => isRolledUp(document) && !isOfDay(document));
        summaries.add({ id, before: full, after: reduced, documents: left });
      }
      if (reduced.contribution === full.contribution) continue;
      addToMinuteGraphs(minutes, reduced.contribution, 1);
      addToMinuteGraphs(minutes, full.contribution, -1);
    }
    await pause?.();
  }
  const insertToken = `thinned/${plan}/${day}/${days}/${next}/${slices}`;
  await summaries.insert(store, `${insertToken}/${rollUpWatermark}`, options);
  if (minutes.size === 0) return;
  const block = newCorrectionBlock(rollUpWatermark, insertToken);
  for (const period of periodsOf(minutes)) block.add(period);
  await store.insert(block.end());
}

/** Rewrites the parts of the day: until then, deleted rows are only marked. */
async function applyDeletedMask(store: Store, day: number): Promise<void> {
  const partition = sql.typed(day, 'UInt64');
  for (const table of [sql`documents`, sql`entities`]) {
    await store.command(
      sql`ALTER TABLE ${table} APPLY DELETED MASK IN PARTITION ${partition} SETTINGS mutations_sync = 1`,
      MAINTENANCE_LIMITS,
    );
  }
}

function chunks(ids: readonly TraceId[]): readonly (readonly TraceId[])[] {
  return Array.from({ length: Math.ceil(ids.length / MAX_IDS) }, (_, index) =>
    ids.slice(index * MAX_IDS, (index + 1) * MAX_IDS),
  );
}
