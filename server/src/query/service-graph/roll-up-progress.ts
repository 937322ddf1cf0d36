/** What a process knows of the batches before, so that the next batch need not ask the store. */
export type RollUpProgress = {
  /** The roll-up watermark; undefined if it has to be read. */
  readonly watermark: number | undefined;
  /** Batches after this `seq` have left no rows without their sums. */
  readonly unfinishedThroughSeq: number;
  /** Call before the first insert of a batch. */
  begin(toSeq: number): void;
  /** Call after its last insert. */
  end(toSeq: number): void;
};

/** `lastSeq`: the last document of earlier processes. */
export function newRollUpProgress(lastSeq: number): RollUpProgress {
  let watermark: number | undefined;
  let unfinishedThroughSeq = lastSeq;
  let unfinishedBeforeSeq = lastSeq;
  return {
    get watermark() {
      return watermark;
    },
    get unfinishedThroughSeq() {
      return unfinishedThroughSeq;
    },
    begin(toSeq) {
      // Unless this batch ends, its rows are those of an unfinished one, and its watermark may be stored.
      watermark = undefined;
      unfinishedBeforeSeq = unfinishedThroughSeq;
      unfinishedThroughSeq = Math.max(unfinishedThroughSeq, toSeq);
    },
    end(toSeq) {
      watermark = toSeq;
      unfinishedThroughSeq = unfinishedBeforeSeq;
    },
  };
}
