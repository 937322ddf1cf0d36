import { createHash } from 'node:crypto';
import type { TraceId } from '../../model/trace-id.ts';
import { traceIdsSql } from '../../store/ids.ts';
import { readObject, replaceObject, type StoredObject } from '../../store/objects.ts';
import { RULE_PROGRESS, readRequestedDay } from '../../store/retention.ts';
import { newCorrectionBlock } from '../../store/roll-up-rows.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { GroupOwner } from '../groups.ts';
import { type MinuteGraphs, periodsOf } from '../service-graph/periods.ts';
import { readRollUpWatermark } from '../service-graph/roll-up-tables.ts';
import { consumersOf, contributionPairsOf } from '../service-graph/trace-changes.ts';
import { addToMinuteGraphs } from '../service-graph/trace-contribution.ts';
import { pushDownFilter } from '../traces/filter-pushdown.ts';
import { loadTraces } from '../traces/load-traces.ts';
import { anyOf, prefilterSql } from '../traces/prefilter.ts';
import { longestExpiredDays, type RetentionPlan, resolvePlanGroups, retentionDaysOf } from './rules.ts';

const DAY_US = 86_400_000_000;
/** Traces that one step looks at. */
const TRACES_PER_SLICE = 20_000;
const LOAD_BATCH = 100;
const IDLE_INTERVAL_MS = 60_000;
/** The embedded engine takes statements of 256 KiB. */
const MAX_IDS = 4_000;
/** A rule finds what a trace says up to so long before and after the day that is thinned. */
const PREFILTER_MARGIN_US = 7 * DAY_US;
/** Rewriting a day may take longer than any query may. */
const MAINTENANCE_LIMITS: QueryOptions = { timeoutMs: 3_600_000, maxMemoryBytes: 0 };

/** A day whose traces are being looked at, slice by slice; traces are spread over slices by their ids. */
type CurrentDay = {
  readonly day: number;
  /** Traces that are kept for this long or shorter go. */
  readonly days: number;
  readonly slices: number;
  readonly next: number;
  /** Rows of the next slice may be gone already, so that they can not be searched. */
  readonly isBegun: boolean;
};

/** Kept in the store, so that another server or the next start goes on where this one was. */
type Progress = {
  /** Names the rules: with others every day is looked at again. */
  readonly plan: string;
  /** By day, what it has been thinned for. */
  readonly passed: Readonly<Record<string, number>>;
  readonly underWay?: CurrentDay | undefined;
};

export type ApplyRulesOptions = {
  readonly signal?: AbortSignal;
  /** Called between steps of work that each hold up the process for some tens of milliseconds. */
  readonly pause?: (() => Promise<void>) | undefined;
  readonly tracesPerSlice?: number;
  /** Told of a day of which all that were kept for `days` or shorter are gone. */
  readonly onDayFinished?: (thinned: { readonly day: string; readonly days: number }) => void;
};

/**
 * Deletes the next traces whose time is over by a rule while others of their day stay: those of a slice of the oldest day
 * that has any. What they counted in the service map is taken away. True while there may be more to do. Not to be
 * called while documents are counted.
 *
 * Cut short, it begins the slice again: what was taken away of the map is not taken away twice, as it has a name by which
 * the engine knows it, and documents, which tell what goes, go last.
 */
export async function applyRetentionRules(
  store: Store,
  plan: RetentionPlan,
  nowUs: number,
  {
    pause,
    onDayFinished: onThinned,
    tracesPerSlice: sliceTraces = TRACES_PER_SLICE,
    ...options
  }: ApplyRulesOptions = {},
): Promise<boolean> {
  const stored = await readObject(store, RULE_PROGRESS);
  const progress = progressOf(stored, planHash(plan));
  const underWay = progress.underWay ?? (await nextDay(store, plan, progress, { nowUs, sliceTraces }, options));
  if (underWay === undefined) return false;
  const turn = await store.acquireMaintenanceLock();
  if (turn === undefined) return true;
  try {
    await store.recordIncomplete((underWay.day + 1) * DAY_US);
    const ids = await expiryCandidates(store, plan, underWay, options);
    const begun =
      ids.length > 0
        ? await writeProgress(store, stored, { ...progress, underWay: { ...underWay, isBegun: true } })
        : stored;
    if (ids.length > 0 && begun === undefined) return true;
    await applyToSlice(store, plan, underWay, ids, { ...options, pause });
    const next = underWay.next + 1;
    const isWhole = next === underWay.slices;
    if (isWhole) await applyDeletedMask(store, underWay.day);
    await writeProgress(store, begun, {
      ...progress,
      ...(isWhole && { passed: { ...progress.passed, [underWay.day]: underWay.days } }),
      underWay: isWhole ? undefined : { ...underWay, next, isBegun: false },
    });
    if (isWhole)
      onThinned?.({ day: new Date(underWay.day * (DAY_US / 1000)).toISOString().slice(0, 10), days: underWay.days });
    return true;
  } finally {
    await turn.release();
  }
}

export type RetentionRuleRunnerOptions = Pick<ApplyRulesOptions, 'onDayFinished'> & {
  /** Whose groups the rules may name. */
  readonly owner: GroupOwner;
  /** Told of rules that name groups that are not there, each time when they are others. */
  readonly onUnknownGroups?: (rules: readonly string[]) => void;
  readonly nowMs?: () => number;
};

/** Does a step of `thinOut` whenever it is called; one look a minute where nothing is left to do. */
export function newRetentionRuleRunner(
  store: Store,
  plan: RetentionPlan,
  { owner, onDayFinished: onThinned, onUnknownGroups: onUnknown, nowMs = Date.now }: RetentionRuleRunnerOptions,
): (options: ApplyRulesOptions) => Promise<void> {
  let quietUntilMs = 0;
  let unknown = '';
  // A step that failed is done again by the same rules, as the map may have been changed by them already.
  let planNow: RetentionPlan | undefined;
  return async (options) => {
    const atMs = nowMs();
    if (plan.rules.length === 0 || atMs < quietUntilMs) return;
    planNow ??= await resolvePlanGroups(store, owner, plan);
    tell(planNow.rules.flatMap(({ filter }, index) => (filter ? [] : (plan.rules[index]?.text ?? []))));
    const isMore = await applyRetentionRules(store, planNow, atMs * 1000, {
      ...options,
      ...(onThinned && { onDayFinished: onThinned }),
    });
    planNow = undefined;
    if (!isMore) quietUntilMs = atMs + IDLE_INTERVAL_MS;
  };

  function tell(rules: readonly string[]): void {
    const text = rules.join('; ');
    if (text !== unknown && rules.length > 0) onUnknown?.(rules);
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

/** What is stored then; undefined when another server was first. */
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
  { nowUs, sliceTraces }: { readonly nowUs: number; readonly sliceTraces: number },
  options: QueryOptions,
): Promise<CurrentDay | undefined> {
  const today = Math.floor(nowUs / DAY_US);
  const rows = await store.query<{ day: number }>(
    sql`SELECT DISTINCT toUInt32(_partition_id) AS day FROM documents ORDER BY day`,
    options,
  );
  const askedDay = await readRequestedDay(store);
  for (const { day } of rows) {
    const days = Math.max(longestExpiredDays(plan, today - day) ?? 0, day === askedDay ? plan.defaultDays : 0);
    if ((passed[day] ?? 0) >= days) continue;
    const [counted] = await store.query<{ traces: number }>(
      sql`SELECT uniq(trace_id) AS traces FROM documents WHERE ${inDay(day)}`,
      options,
    );
    return { day, days, slices: Math.ceil((counted?.traces ?? 0) / sliceTraces) || 1, next: 0, isBegun: false };
  }
  return undefined;
}

const inDay = (day: number): Sql => sql`seq >= ${day * DAY_US} AND seq < ${(day + 1) * DAY_US}`;

const inSlice = ({ slices, next }: CurrentDay): Sql =>
  sql`cityHash64(trace_id) % ${sql.typed(slices, 'UInt64')} = ${sql.typed(next, 'UInt64')}`;

async function applyToSlice(
  store: Store,
  plan: RetentionPlan,
  underWay: CurrentDay,
  ids: readonly TraceId[],
  { pause, ...options }: ApplyRulesOptions,
): Promise<void> {
  const kept: TraceId[] = [];
  const gone: TraceId[] = [];
  for (let first = 0; first < ids.length; first += LOAD_BATCH) {
    const batch = ids.slice(first, first + LOAD_BATCH);
    const traces = new Map((await loadTraces(store, batch, options)).map((trace) => [trace.id, trace]));
    for (const id of batch) {
      const trace = traces.get(id);
      const days = trace ? retentionDaysOf(plan, trace) : plan.defaultDays;
      (days > underWay.days ? kept : gone).push(id);
    }
    await pause?.();
  }
  if (gone.length === 0) return;
  await subtractFromRollUps(store, gone, underWay, planHash(plan), { pause, ...options });
  // All of the slice were looked at only when most of them go: then it is fewer that stay.
  const isWhole = plan.defaultDays <= underWay.days;
  const conditions =
    isWhole && kept.length <= Math.min(gone.length, MAX_IDS)
      ? [sql`trace_id NOT IN ${traceIdsSql(kept)}`]
      : chunks(gone).map((chunk) => sql`trace_id IN ${traceIdsSql(chunk)}`);
  const partition = sql.typed(underWay.day, 'UInt64');
  for (const table of [sql`entities`, sql`documents`]) {
    for (const condition of conditions) {
      const where = sql.and([inSlice(underWay), condition]);
      await store.command(sql`DELETE FROM ${table} IN PARTITION ${partition} WHERE ${where}`, {
        ...MAINTENANCE_LIMITS,
        ...options,
      });
    }
  }
}

/** Traces of the slice that may go: all of them where the default time is over, else those that some rule may match. */
async function expiryCandidates(
  store: Store,
  { rules, defaultDays }: RetentionPlan,
  underWay: CurrentDay,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const { day, days, isBegun } = underWay;
  const short = rules.flatMap((rule) => (rule.days <= days && rule.filter ? [rule.filter.condition] : []));
  const narrow = defaultDays <= days || isBegun ? undefined : anyOf(short.map(pushDownFilter));
  const near = sql`seq >= ${day * DAY_US - PREFILTER_MARGIN_US} AND seq < ${(day + 1) * DAY_US + PREFILTER_MARGIN_US}`;
  const where = [inDay(day), inSlice(underWay), ...(narrow ? [prefilterSql(narrow, near)] : [])];
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id
      FROM (SELECT DISTINCT trace_id AS trace FROM documents WHERE ${sql.and(where)} ORDER BY trace)`,
    options,
  );
  return rows.map((row) => row.trace_id);
}

/** Counts the traces as they will be, and no longer as they are; so too those that took messages of them. */
async function subtractFromRollUps(
  store: Store,
  gone: readonly TraceId[],
  { day, days, slices, next }: CurrentDay,
  plan: string,
  { pause, ...options }: ApplyRulesOptions,
): Promise<void> {
  const countedSeq = await readRollUpWatermark(store, options);
  const isGone = new Set(gone);
  const takers = await consumersOf(store, gone, sql`seq <= ${countedSeq}`, options);
  const traceIds = [...new Set([...gone, ...takers])];
  const isCounted = ({ seq }: { readonly seq: number }) => seq <= countedSeq;
  const isOfDay = ({ seq }: { readonly seq: number }) => Math.floor(seq / DAY_US) === day;
  const minutes: MinuteGraphs = new Map();
  const states = contributionPairsOf(
    store,
    traceIds,
    {
      less: (document) => isCounted(document) && !(isGone.has(document.traceId) && isOfDay(document)),
      more: isCounted,
    },
    options,
  );
  for await (const changes of states) {
    for (const { less, more } of changes) {
      if (less === more) continue;
      addToMinuteGraphs(minutes, less, 1);
      addToMinuteGraphs(minutes, more, -1);
    }
    await pause?.();
  }
  const periods = [...periodsOf(minutes)];
  const name = `thinned/${plan}/${day}/${days}/${next}/${slices}`;
  if (periods.length === 0) return;
  const block = newCorrectionBlock(countedSeq, name);
  for (const period of periods) block.add(period);
  await store.insert(block.end());
}

/** What was deleted is only marked until the parts of the day are written anew. */
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
