import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Document } from '../../model/entity.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { prune } from '../../store/maintenance/retention.ts';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { STORES, type StoreLocation } from '../../store/testing/stores.ts';
import { TRACE_BOUNDS } from '../../store/trace-bounds.ts';
import { changeGroup, createGroup } from '../groups.ts';
import { rollUp } from '../service-graph/roll-up.ts';
import { serviceGraphOf } from '../service-graph/service-graph.ts';
import { referenceServiceGraph } from '../service-graph/testing/reference-service-graph.ts';
import { visibleGraph } from '../service-graph/testing/visible-graph.ts';
import { receivedDocuments, SPREAD_US, START_US, subjectsOf } from '../testing/received-documents.ts';
import { findTraces } from '../traces/find-traces.ts';
import { applyRetentionRules, newRetentionRuleRunner } from './apply-rules.ts';
import {
  longestExpiredDays,
  longestRetentionDays,
  type RetentionPlan,
  readRetentionRule,
  retentionDaysOf,
} from './rules.ts';

const DAY_US = 86_400_000_000;
const OWNER = { region: 'eu-west-1', accountId: '123456789012' };
const FIRST_DAY = Math.floor(START_US / DAY_US);
const DAYS = 3;
const everything = { fromUs: START_US - 60e6, toUs: START_US + 2 * SPREAD_US };

/** Documents of many traces that arrived over three days, most of a trace on one of them. */
const DOCUMENTS: readonly Document[] = receivedDocuments(40, 9)
  .map((document, index) => {
    const day = (Number.parseInt(document.traceId.slice(-2), 16) + (index % 5 === 0 ? 1 : 0)) % DAYS;
    return { ...document, seq: (FIRST_DAY + day) * DAY_US + index * 100 };
  })
  .sort((a, b) => a.seq - b.seq);

const dayOf = ({ seq }: Document) => Math.floor(seq / DAY_US);
const plan = (defaultDays: number, ...rules: readonly string[]): RetentionPlan => ({
  defaultDays,
  rules: rules.map(readRetentionRule),
});

/** The documents that must remain on a day, by the pure functions. */
function expectedAfterRules(
  today: number,
  documents: readonly Document[],
  rules: RetentionPlan,
  bounds = TRACE_BOUNDS,
): readonly Document[] {
  let left = documents.filter((document) => today - dayOf(document) <= longestRetentionDays(rules));
  for (const day of [...new Set(left.map(dayOf))].sort()) {
    const expiredDays = longestExpiredDays(rules, today - day);
    if (expiredDays === undefined) continue;
    const expired = new Set<TraceId>();
    for (const id of new Set(left.filter((document) => dayOf(document) === day).map(({ traceId }) => traceId))) {
      const [trace] = subjectsOf(
        left.filter(({ traceId }) => traceId === id),
        bounds,
      ).map((subject) => subject.trace);
      if ((trace ? retentionDaysOf(rules, trace) : rules.defaultDays) <= expiredDays) expired.add(id);
    }
    left = left.filter((document) => dayOf(document) !== day || !expired.has(document.traceId));
  }
  return left;
}

let location: StoreLocation;
let store: Store;

beforeAll(async () => {
  location = await (STORES[0] as (typeof STORES)[number]).make();
  store = await location.open();
});

afterAll(async () => {
  await store.close();
  await location.remove();
});

async function fill(target: Store): Promise<void> {
  await target.append(DOCUMENTS);
  while (await rollUp(target, { toSeq: Number.MAX_SAFE_INTEGER }));
}

async function empty(): Promise<void> {
  await store.command(sql`TRUNCATE TABLE documents`);
  await store.command(sql`TRUNCATE TABLE entities`);
  await store.command(sql`TRUNCATE TABLE service_map`);
  await store.command(sql`TRUNCATE TABLE trace_summaries`);
  await store.command(sql`TRUNCATE TABLE objects`);
}

/** Noon of the day that many days after the first documents. */
const noonAfter = (days: number) => (FIRST_DAY + days) * DAY_US + DAY_US / 2;

const ageAt = (nowUs: number) => (day: number) => Math.floor(nowUs / DAY_US) - day;

async function expectStored(target: Store, documents: readonly Document[]): Promise<void> {
  const stored = await target.query<{ seq: number }>(sql`SELECT seq FROM documents ORDER BY seq`);
  expect(stored.map(({ seq }) => seq)).toEqual(documents.map(({ seq }) => seq));
  const rows = await target.query<{ seq: number }>(sql`SELECT DISTINCT seq FROM entities ORDER BY seq`);
  expect(rows.map(({ seq }) => seq)).toEqual(seqsWithRows(documents));
  const subjects = subjectsOf(documents, target.traceBounds);
  const graph = await serviceGraphOf(target, { window: everything, filter: undefined });
  expect(visibleGraph(graph)).toEqual(visibleGraph(referenceServiceGraph(subjects, subjects, everything)));
  if (target.traceBounds === TRACE_BOUNDS) {
    const listed = new Map<string, TraceSummary>();
    // Some start before all others.
    const window = { ...everything, fromUs: everything.fromUs - DAY_US };
    const query = { window, timeRangeType: 'TraceId' as const, filter: undefined };
    for await (const { summary } of findTraces(target, query)) listed.set(summary.id, summary);
    expect(listed).toEqual(new Map(subjects.map(({ summary }) => [summary.id, summary])));
  }
  // The bounds cut minutes in two: the part outside is subtracted from the roll-up, or the part inside is added.
  const cut = { fromUs: START_US + 1_234_567, toUs: START_US + SPREAD_US - 7_654_321 };
  const part = await serviceGraphOf(target, { window: cut, filter: undefined });
  expect(visibleGraph(part)).toEqual(visibleGraph(referenceServiceGraph(subjects, subjects, cut)));
}

const seqsWithRows = (documents: readonly Document[]) =>
  [...new Set(documents.filter(({ entities }) => entities.length > 0).map(({ seq }) => seq))].sort((a, b) => a - b);

const PLANS = [
  plan(2, '1d service("shop")', '5d fault = true'),
  plan(4, '1d ok = true', '2d annotation.tier', '3d partial = true'),
  plan(1, '3d error = true OR fault = true', '2d service("stock")', '6d responsetime > 1'),
];

test.each(PLANS)(
  'on each day the remaining documents and their service graph are those of the rules: %j',
  async (rules) => {
    await empty();
    await fill(store);
    let left = DOCUMENTS;
    for (const days of [0, 2, 3, 5, 6]) {
      const nowUs = noonAfter(days);
      while (await applyRetentionRules(store, rules, ageAt(nowUs), { tracesPerSlice: 12 }));
      await prune(store, { days: longestRetentionDays(rules), bytes: 0 }, ageAt(nowUs));
      const before = left;
      left = expectedAfterRules(FIRST_DAY + days, left, rules);
      // The roll-up worker deletes dropped days from the roll-up; it does not run here.
      if (left.some((document) => dayOf(document) === FIRST_DAY)) await expectStored(store, left);
      if (left.length < before.length) expect(store.statistics().prunedBeforeUs).toBeGreaterThan(FIRST_DAY * DAY_US);
    }
    expect(left.length).toBeLessThan(DOCUMENTS.length);
  },
);

test.each([
  { documents: 3, bytes: 2_000 },
  { documents: 1, bytes: 10_000 },
])('of traces that exceed the bounds the part that was counted is subtracted: %j', async (traceBounds) => {
  await empty();
  const bounded: Store = Object.create(store, { traceBounds: { value: traceBounds } });
  await fill(bounded);
  const rules = plan(20, '1d ok = true', '2d fault = true');
  let left = DOCUMENTS;
  for (const days of [2, 3, 4]) {
    while (await applyRetentionRules(bounded, rules, ageAt(noonAfter(days)), { tracesPerSlice: 12 }));
    left = expectedAfterRules(FIRST_DAY + days, left, rules, traceBounds);
    await expectStored(bounded, left);
  }
  expect(left.length).toBeLessThan(DOCUMENTS.length);
});

test('after a crash at any step it continues there, and subtracts nothing twice from the roll-up', async () => {
  const [rules = plan(1)] = PLANS;
  const nowUs = noonAfter(3);
  const left = expectedAfterRules(FIRST_DAY + 3, DOCUMENTS, rules);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 4 }), async (crashes) => {
      await empty();
      await fill(store);
      for (const calls of crashes) {
        const crashing = crashingAfter(store, calls);
        await applyRetentionRules(crashing, rules, ageAt(nowUs), { tracesPerSlice: 15 }).catch(() => undefined);
      }
      while (await applyRetentionRules(store, rules, ageAt(nowUs), { tracesPerSlice: 15 }));
      await expectStored(store, left);
    }),
    { numRuns: 3, seed: 3, endOnFailure: true },
  );
});

/** A server that is killed at the write after `writes` others: before the write takes effect, or just after. */
function crashingAfter(whole: Store, writes: number): Store {
  let left = writes;
  const counted = async <Result>(write: () => Promise<Result>): Promise<Result> => {
    left -= 1;
    if (left < 0 && writes % 2 === 0) throw new Error('killed');
    const result = await write();
    if (left < 0) throw new Error('killed');
    return result;
  };
  return {
    ...whole,
    insert: (block) => counted(() => whole.insert(block)),
    command: (statement, options) => counted(() => whole.command(statement, options)),
  };
}

test('after a change of the rules they are applied to every day again', async () => {
  await empty();
  await fill(store);
  const nowUs = noonAfter(4);
  const mild = plan(10, '1d annotation.absent = "yes"');
  while (await applyRetentionRules(store, mild, ageAt(nowUs)));
  await expectStored(store, DOCUMENTS);
  const strict = plan(10, '1d fault = true');
  while (await applyRetentionRules(store, strict, ageAt(nowUs)));
  const left = expectedAfterRules(FIRST_DAY + 4, DOCUMENTS, strict);
  expect(left.length).toBeLessThan(DOCUMENTS.length);
  await expectStored(store, left);
});

test('a rule that names a group uses its current filter, and keeps all traces while the group is unknown', async () => {
  await empty();
  await fill(store);
  let nowMs = noonAfter(4) / 1000;
  const reported: (readonly string[])[] = [];
  const step = newRetentionRuleRunner(store, plan(10, '5d group.name = "kept"', '1d ok = true OR fault = true'), {
    owner: OWNER,
    ageInDays: ageAt(nowMs * 1000),
    monotonicMs: () => nowMs,
    onUnknownGroups: (rules) => reported.push(rules),
  });
  const pass = async () => {
    for (let steps = 0; steps < 2 * DAYS + 2; steps += 1) await step({});
    nowMs += 60_000;
  };
  const insights = { isEnabled: false, sendsNotifications: false };
  const group = { name: 'kept', expression: 'service("shop")', insights, tags: [] };
  await pass();
  await pass();
  expect(reported).toEqual([['5d group.name = "kept"']]);
  await expectStored(store, DOCUMENTS);

  await createGroup(store, OWNER, group);
  await pass();
  const kept = expectedAfterRules(
    FIRST_DAY + 4,
    DOCUMENTS,
    plan(10, '5d service("shop")', '1d ok = true OR fault = true'),
  );
  expect(kept.length).toBeLessThan(DOCUMENTS.length);
  await expectStored(store, kept);

  const reference = { by: 'name', value: 'kept' } as const;
  await changeGroup(store, OWNER, reference, (before) => ({ ...before, expression: 'fault' }));
  await pass();
  const left = expectedAfterRules(FIRST_DAY + 4, kept, plan(10, '5d fault', '1d ok = true OR fault = true'));
  expect(left.length).toBeLessThan(kept.length);
  await expectStored(store, left);
});

test('it checks once a minute when there is nothing to do', async () => {
  await empty();
  await fill(store);
  let nowMs = noonAfter(1) / 1000;
  let queries = 0;
  const counted: Store = {
    ...store,
    query: (statement, options) => {
      queries += 1;
      return store.query(statement, options);
    },
  };
  const step = newRetentionRuleRunner(counted, plan(2, '1d ok = true'), {
    owner: OWNER,
    ageInDays: ageAt(nowMs * 1000),
    monotonicMs: () => nowMs,
  });
  await step({});
  const once = queries;
  await step({});
  expect([once > 0, queries]).toEqual([true, once]);
  nowMs += 60_000;
  await step({});
  expect(queries).toBeGreaterThan(once);
});

test('above the size limit, traces that no rule keeps longer are deleted before whole days are dropped', async () => {
  await empty();
  await fill(store);
  const rules = plan(20, '90d fault = true', '1d annotation.absent = "yes"');
  const nowUs = noonAfter(4);
  const tooMuch = { days: 90, defaultDays: 20, bytes: 1 };
  const left = [...DOCUMENTS];
  for (const day of [FIRST_DAY, FIRST_DAY + 1]) {
    expect(await prune(store, tooMuch, ageAt(nowUs))).toBeUndefined();
    while (await applyRetentionRules(store, rules, ageAt(nowUs)));
    // As if the default retention were over for the day.
    const keptOfDay = expectedAfterRules(day + 21, left, rules).filter((document) => dayOf(document) === day);
    left.splice(0, left.length, ...keptOfDay, ...left.filter((document) => dayOf(document) !== day));
    left.sort((a, b) => a.seq - b.seq);
    await expectStored(store, left);
  }
  expect(left.some((document) => dayOf(document) === FIRST_DAY)).toBe(true);
  expect(await prune(store, tooMuch, ageAt(nowUs))).toMatchObject({ days: 2 });
  const days = await store.query(sql`SELECT DISTINCT toUInt32(_partition_id) AS day FROM documents`);
  expect(days).toEqual([{ day: FIRST_DAY + 2 }]);
});

test('nothing is deleted while another task holds the maintenance lock', async () => {
  await empty();
  await fill(store);
  const lock = await store.acquireMaintenanceLock();
  expect(await applyRetentionRules(store, plan(1, '9d fault = true'), ageAt(noonAfter(5)))).toBe(true);
  await expectStored(store, DOCUMENTS);
  await lock?.release();
});

test('on shards the remaining documents of each day are those of the rules', async () => {
  const shards = await (STORES[2] as (typeof STORES)[number]).make();
  const sharded = await shards.open();
  const [, , rules = plan(1)] = PLANS;
  await fill(sharded);
  let left = DOCUMENTS;
  for (const days of [2, 3, 4]) {
    while (await applyRetentionRules(sharded, rules, ageAt(noonAfter(days)), { tracesPerSlice: 20 }));
    left = expectedAfterRules(FIRST_DAY + days, left, rules);
  }
  const stored = await sharded.query<{ seq: number }>(sql`SELECT seq FROM documents ORDER BY seq`);
  const rows = await sharded.query<{ seq: number }>(sql`SELECT DISTINCT seq FROM entities ORDER BY seq`);
  expect(stored.map(({ seq }) => seq)).toEqual(left.map(({ seq }) => seq));
  expect(rows.map(({ seq }) => seq)).toEqual(seqsWithRows(left));
  await sharded.close();
  await shards.remove();
});
