import fc from 'fast-check';
import { expect, test } from 'vitest';
import { receivedDocuments, subjectsOf } from '../testing/received-documents.ts';
import {
  longestExpiredDays,
  longestRetentionDays,
  type RetentionRule,
  readRetentionRule,
  retentionDaysOf,
} from './rules.ts';

const rules = ['1d service("ping")', '90d fault = true OR error = true', '2d ok = true'].map(readRetentionRule);
const plan = { defaultDays: 30, rules };

test('a rule is a number of days and a filter expression', () => {
  expect(readRetentionRule('  7d   service("ping") ')).toMatchObject({ days: 7, text: '7d service("ping")' });
});

test.each([
  ['service("ping")', "is not of the form '7d"],
  ['7 service("ping")', "is not of the form '7d"],
  ['0d fault', "is not of the form '7d"],
  ['7d', "is not of the form '7d"],
  ['7d servce("ping")', 'of the expression'],
])('%s is no rule', (text, sentence) => {
  expect(() => readRetentionRule(text)).toThrow(expect.objectContaining({ code: 'SettingInvalid' }));
  expect(() => readRetentionRule(text)).toThrow(sentence);
});

test('the first rule that matches a trace decides, else the default', () => {
  const kept = subjectsOf(receivedDocuments(60)).map(({ trace, summary }) => ({
    days: retentionDaysOf({ defaultDays: 30, rules: rules.slice(1) }, trace),
    isBad: summary.hasFault || summary.hasError,
  }));
  expect(new Set(kept.map(({ days }) => days)).size).toBeGreaterThan(1);
  for (const { days, isBad } of kept) expect(days === 90).toBe(isBad);
});

test('while a rule names an unknown group, every trace is kept for at least its days', () => {
  const unknown = (days: number): RetentionRule => ({ days, filter: undefined, text: '' });
  const traces = subjectsOf(receivedDocuments(60)).map(({ trace }) => trace);
  for (const trace of traces) {
    const known = retentionDaysOf({ defaultDays: 30, rules }, trace);
    expect(retentionDaysOf({ defaultDays: 30, rules: [unknown(40), ...rules] }, trace)).toBe(Math.max(known, 40));
    expect(retentionDaysOf({ defaultDays: 30, rules: [...rules, unknown(1)] }, trace)).toBe(known);
  }
  const withUnknown = { defaultDays: 30, rules: [unknown(40), unknown(1), ...rules] };
  expect([2, 35, 45].map((age) => longestExpiredDays(withUnknown, age))).toEqual([1, 30, 30]);
  expect(longestRetentionDays({ defaultDays: 30, rules: [unknown(100)] })).toBe(100);
});

test('the longest expired retention of a day grows with its age, until all are expired', () => {
  const expired = [1, 2, 3, 30, 31, 90, 91].map((age) => longestExpiredDays(plan, age));
  expect(expired).toEqual([undefined, 1, 2, 2, 30, 30, undefined]);
  expect(longestRetentionDays(plan)).toBe(90);
  expect(longestRetentionDays({ defaultDays: 100, rules })).toBe(100);
});

test('without rules no day is kept in part', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 400 }), (age, defaultDays) => {
      expect(longestExpiredDays({ defaultDays, rules: [] }, age)).toBeUndefined();
    }),
  );
});
