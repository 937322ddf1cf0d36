import { expect, test } from 'vitest';
import { allGaps, gapsOf, NO_GAPS } from './missing-data.ts';

test('an answer that says nothing of gaps has none', () => {
  expect(gapsOf({})).toEqual(NO_GAPS);
  expect(allGaps([])).toEqual(NO_GAPS);
});

test('gaps of several answers are gaps of the whole', () => {
  const answers = [{}, { PrunedBefore: 20 }, { IsIncomplete: true }, { PrunedBefore: 10 }];
  expect(allGaps(answers.map(gapsOf))).toEqual({ isIncomplete: true, prunedBeforeUs: 20e6 });
});
