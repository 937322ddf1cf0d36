import { secondsToUs } from 'openray/model';

/** Data that is missing in a response. */
export type MissingData = {
  /** Data of a shard that could not be reached, or of the newest documents, which are not inserted yet. */
  readonly isIncomplete: boolean;
  /** The store cannot read some of its data any more. */
  readonly isDamaged: boolean;
  /** Retention has dropped documents that arrived before this time, and the requested time range begins before it. */
  readonly prunedBeforeUs: number | undefined;
};

export const NO_MISSING_DATA: MissingData = { isIncomplete: false, isDamaged: false, prunedBeforeUs: undefined };

/** Time after which an incomplete response is requested again. */
export const REFETCH_INCOMPLETE_MS = 5000;

type CompletenessFields = {
  readonly IsIncomplete?: boolean;
  readonly IsDamaged?: boolean;
  readonly PrunedBefore?: number;
};

export function missingDataOf({
  IsIncomplete = false,
  IsDamaged = false,
  PrunedBefore,
}: CompletenessFields): MissingData {
  return {
    isIncomplete: IsIncomplete,
    isDamaged: IsDamaged,
    prunedBeforeUs: PrunedBefore === undefined ? undefined : secondsToUs(PrunedBefore),
  };
}

/** Data that is missing in any of the responses. */
export function combineMissingData(all: readonly MissingData[]): MissingData {
  const pruned = all.flatMap(({ prunedBeforeUs }) => prunedBeforeUs ?? []);
  return {
    isIncomplete: all.some(({ isIncomplete }) => isIncomplete),
    isDamaged: all.some(({ isDamaged }) => isDamaged),
    prunedBeforeUs: pruned.length === 0 ? undefined : Math.max(...pruned),
  };
}
