import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptDays, longestDays, passedDays, readRetentionRule } from './retention-rules.ts';
import { receivedDocuments, subjectsOf } from './testing/received.ts';

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
  ['7d fault = true AND !(group.name = "slow")', 'names a group'],
])('%s is none', (text, sentence) => {
  expect(() => readRetentionRule(text)).toThrow(expect.objectContaining({ code: 'SettingInvalid' }));
  expect(() => readRetentionRule(text)).toThrow(sentence);
});

test('the first rule that matches a trace counts, else the default', () => {
  const kept = subjectsOf(receivedDocuments(60)).map(({ trace, summary }) => ({
    days: keptDays({ defaultDays: 30, rules: rules.slice(1) }, trace),
    isBad: summary.hasFault || summary.hasError,
  }));
  expect(new Set(kept.map(({ days }) => days)).size).toBeGreaterThan(1);
  for (const { days, isBad } of kept) expect(days === 90).toBe(isBad);
});

test('a day is thinned whenever one of the times is over, until all are', () => {
  const passed = [1, 2, 3, 30, 31, 90, 91].map((age) => passedDays(plan, age));
  expect(passed).toEqual([undefined, 1, 2, 2, 30, 30, undefined]);
  expect(longestDays(plan)).toBe(90);
  expect(longestDays({ defaultDays: 100, rules })).toBe(100);
});

test('without rules no day is ever thinned', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 400 }), (age, defaultDays) => {
      expect(passedDays({ defaultDays, rules: [] }, age)).toBeUndefined();
    }),
  );
});
