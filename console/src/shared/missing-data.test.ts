import { expect, test } from 'vitest';
import { combineMissingData, missingDataOf, NO_MISSING_DATA } from './missing-data.ts';

test('a response without these members is complete', () => {
  expect(missingDataOf({})).toEqual(NO_MISSING_DATA);
  expect(combineMissingData([])).toEqual(NO_MISSING_DATA);
});

test('data that one of several responses lacks is missing in the whole', () => {
  const responses = [{}, { PrunedBefore: 20 }, { IsIncomplete: true }, { IsDamaged: true }, { PrunedBefore: 10 }];
  expect(combineMissingData(responses.map(missingDataOf))).toEqual({
    isIncomplete: true,
    isDamaged: true,
    prunedBeforeUs: 20e6,
  });
});
