import { expect, test } from 'vitest';
import { combineMissingData, missingDataOf, NO_MISSING_DATA } from './missing-data.ts';

test('an answer that says nothing of gaps has none', () => {
  expect(missingDataOf({})).toEqual(NO_MISSING_DATA);
  expect(combineMissingData([])).toEqual(NO_MISSING_DATA);
});

test('gaps of several answers are gaps of the whole', () => {
  const answers = [{}, { PrunedBefore: 20 }, { IsIncomplete: true }, { PrunedBefore: 10 }];
  expect(combineMissingData(answers.map(missingDataOf))).toEqual({ isIncomplete: true, prunedBeforeUs: 20e6 });
});
