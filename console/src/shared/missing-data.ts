/** What is missing in an answer. */
export type Gaps = {
  /** A part of the store could not be asked; what it holds is missing. */
  readonly isIncomplete: boolean;
  /** Retention has dropped some of what arrived before this time, and the question reaches back before it. */
  readonly prunedBeforeUs: number | undefined;
};

export const NO_GAPS: Gaps = { isIncomplete: false, prunedBeforeUs: undefined };

/** How soon an incomplete answer is asked for again. */
export const ASK_AGAIN_MS = 5000;

type Answer = { readonly IsIncomplete?: boolean; readonly PrunedBefore?: number };

export function gapsOf({ IsIncomplete = false, PrunedBefore }: Answer): Gaps {
  return {
    isIncomplete: IsIncomplete,
    prunedBeforeUs: PrunedBefore === undefined ? undefined : PrunedBefore * 1_000_000,
  };
}

/** What any of the answers lacks is missing in all of them together. */
export function allGaps(all: readonly Gaps[]): Gaps {
  const pruned = all.flatMap(({ prunedBeforeUs }) => prunedBeforeUs ?? []);
  return {
    isIncomplete: all.some(({ isIncomplete }) => isIncomplete),
    prunedBeforeUs: pruned.length === 0 ? undefined : Math.max(...pruned),
  };
}
