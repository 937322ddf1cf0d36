import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import { expandGroups, type GroupLookup } from '../../filter/groups.ts';
import { matches } from '../../filter/matches.ts';
import { readFilter } from '../../filter/parser.ts';
import { printCondition } from '../../filter/print.ts';
import { subjectOf } from '../../filter/subject.ts';
import type { Trace } from '../../model/trace.ts';
import type { Store } from '../../store/store.ts';
import { type GroupOwner, groupLookup, listGroups, namesGroup } from '../groups.ts';

/**
 * Matching traces are kept for `days` whole days after they arrived. `filter` is undefined while the rule names an
 * unknown group: any trace may match then, so that all traces are kept for at least `days`.
 */
export type RetentionRule = { readonly days: number; readonly filter: Filter | undefined; readonly text: string };

/** The first rule that matches a trace counts; a trace that none matches is kept for `defaultDays`. */
export type RetentionPlan = { readonly defaultDays: number; readonly rules: readonly RetentionRule[] };

const RULE = /^\s*(\d{1,5})d\s+(.*\S)\s*$/s;

/** Reads e.g. `7d service("ping")`. Throws SettingInvalid; the message names the error and its position. */
export function readRetentionRule(text: string): RetentionRule {
  const [, days = '', expression = ''] = RULE.exec(text) ?? [];
  if (Number(days) === 0) {
    throw new OpenrayError('SettingInvalid', `retention rule '${text}' is not of the form '7d service("ping")'`);
  }
  const reading = readFilter(expression);
  if (!reading.ok) {
    const { message, position } = reading.error;
    throw new OpenrayError('SettingInvalid', `retention rule '${text}': ${message} at ${position} of the expression`);
  }
  return { days: Number(days), filter: reading.filter, text: `${Number(days)}d ${expression}` };
}

/** The plan with each group replaced by its current filter. Reads the store only when a rule names a group. */
export async function resolvePlanGroups(store: Store, owner: GroupOwner, plan: RetentionPlan): Promise<RetentionPlan> {
  if (!plan.rules.some(({ filter }) => filter && namesGroup(filter.condition))) return plan;
  const lookup = groupLookup(owner, await listGroups(store));
  return { ...plan, rules: plan.rules.map((rule) => resolveRuleGroups(rule, lookup)) };
}

/** The text of the result contains the filters of groups: the rules are applied again when such a filter changes. */
function resolveRuleGroups(rule: RetentionRule, lookup: GroupLookup): RetentionRule {
  const { filter, text } = rule;
  if (filter === undefined || !namesGroup(filter.condition)) return rule;
  let isKnown = true;
  const expanded = expandUnlessCircular(filter, (by, value) => {
    const group = lookup(by, value);
    isKnown &&= group !== undefined;
    return group;
  });
  if (expanded === undefined || !isKnown) return { ...rule, filter: undefined, text: `${text}: unknown` };
  return { ...rule, filter: expanded, text: `${text}: ${printCondition(expanded.condition)}` };
}

/** Undefined when groups name each other in a circle. */
function expandUnlessCircular(filter: Filter, lookup: GroupLookup): Filter | undefined {
  try {
    return expandGroups(filter, lookup);
  } catch (thrown) {
    if (thrown instanceof OpenrayError && thrown.code === 'InvalidRequestException') return undefined;
    throw thrown;
  }
}

export function retentionDaysOf({ rules, defaultDays }: RetentionPlan, trace: Trace): number {
  if (rules.length === 0) return defaultDays;
  const subject = subjectOf(trace);
  let leastDays = 0;
  for (const { days, filter } of rules) {
    if (filter === undefined) leastDays = Math.max(leastDays, days);
    else if (matches(filter, subject)) return Math.max(leastDays, days);
  }
  return Math.max(leastDays, defaultDays);
}

/** Age in days through which a day has traces to keep; an older day is dropped. */
export function longestRetentionDays({ rules, defaultDays }: RetentionPlan): number {
  return Math.max(defaultDays, ...rules.map(({ days }) => days));
}

/**
 * The longest retention that is over for a day that is `ageDays` old. Undefined when none is over yet, and when all
 * are, so that the day is dropped.
 */
export function longestExpiredDays(plan: RetentionPlan, ageDays: number): number | undefined {
  const longest = longestRetentionDays(plan);
  if (ageDays > longest) return undefined;
  const known = plan.rules.filter(({ filter }) => filter !== undefined);
  const expired = [plan.defaultDays, ...known.map(({ days }) => days)].filter((days) => days < ageDays);
  return expired.length > 0 ? Math.max(...expired) : undefined;
}
