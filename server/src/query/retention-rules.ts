import { OpenrayError } from '../errors.ts';
import type { Condition, Filter } from '../filter/ast.ts';
import { matches } from '../filter/matches.ts';
import { readFilter } from '../filter/parser.ts';
import { subjectOf } from '../filter/subject.ts';
import type { Trace } from '../model/trace.ts';

/** Traces that match are kept for so many whole days after they arrived. */
export type RetentionRule = { readonly days: number; readonly filter: Filter; readonly text: string };

/** The first rule that matches a trace counts; a trace that none matches is kept for `defaultDays`. */
export type RetentionPlan = { readonly defaultDays: number; readonly rules: readonly RetentionRule[] };

const RULE = /^\s*(\d{1,5})d\s+(.*\S)\s*$/s;

/** `7d service("ping")`. Throws SettingInvalid, with what is wrong where. */
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
  if (namesGroup(reading.filter.condition)) {
    throw new OpenrayError(
      'SettingInvalid',
      `retention rule '${text}' names a group: write what its traces have instead`,
    );
  }
  return { days: Number(days), filter: reading.filter, text: `${Number(days)}d ${expression}` };
}

/** A group may be changed or deleted at any time, and with it what would be deleted of the store. */
function namesGroup(condition: Condition): boolean {
  switch (condition.kind) {
    case 'group':
      return true;
    case 'and':
    case 'or':
      return condition.operands.some(namesGroup);
    case 'not':
      return namesGroup(condition.operand);
    default:
      return false;
  }
}

export function keptDays({ rules, defaultDays }: RetentionPlan, trace: Trace): number {
  if (rules.length === 0) return defaultDays;
  const subject = subjectOf(trace);
  return rules.find(({ filter }) => matches(filter, subject))?.days ?? defaultDays;
}

/** When the last of a day's traces goes, and with it the day as a whole. */
export function longestDays({ rules, defaultDays }: RetentionPlan): number {
  return Math.max(defaultDays, ...rules.map(({ days }) => days));
}

/**
 * The longest time that is over for a day that is `ageDays` old, of those after which only some of its traces go;
 * undefined while none is, and when all are.
 */
export function passedDays(plan: RetentionPlan, ageDays: number): number | undefined {
  const longest = longestDays(plan);
  if (ageDays > longest) return undefined;
  const passed = [plan.defaultDays, ...plan.rules.map(({ days }) => days)].filter((days) => days < ageDays);
  return passed.length > 0 ? Math.max(...passed) : undefined;
}
