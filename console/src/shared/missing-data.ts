import { secondsToUs } from 'openray/model';

/** What is missing in an answer. */
export type MissingData = {
  /** A part of the store could not be asked; what it holds is missing. */
  readonly isIncomplete: boolean;
  /** Retention has dropped some of what arrived before this time, and the question reaches back before it. */
  readonly prunedBeforeUs: number | undefined;
};

export const NO_MISSING_DATA: MissingData = { isIncomplete: false, prunedBeforeUs: undefined };

/** How soon an incomplete answer is asked for again. */
export const REFETCH_INCOMPLETE_MS = 5000;

type CompletenessFields = { readonly IsIncomplete?: boolean; readonly PrunedBefore?: number };

export function missingDataOf({ IsIncomplete = false, PrunedBefore }: CompletenessFields): MissingData {
  return {
    isIncomplete: IsIncomplete,
    prunedBeforeUs: PrunedBefore === undefined ? undefined : secondsToUs(PrunedBefore),
  };
}

/** What any of the answers lacks is missing in all of them together. */
export function combineMissingData(all: readonly MissingData[]): MissingData {
  const pruned = all.flatMap(({ prunedBeforeUs }) => prunedBeforeUs ?? []);
  return {
    isIncomplete: all.some(({ isIncomplete }) => isIncomplete),
    prunedBeforeUs: pruned.length === 0 ? undefined : Math.max(...pruned),
  };
}
