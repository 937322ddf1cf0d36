/** Arrival numbers of this process, strictly increasing. They give the order of two documents with one id. */
export type ArrivalSequence = {
  /** The first of `count` (default 1) successive numbers, which all are on one day. */
  next(count?: number): number;
  /**
   * All numbers up to this one were issued SETTLE_MS ago or earlier, so that their documents are stored or in flight in
   * the store.
   */
  lowWatermark(): number;
};

/** Longest time between the number of a document and its call of `append`. */
const SETTLE_MS = 1_000;
const DAY_US = 86_400_000_000;

/**
 * Numbers are microseconds since 1970 by `arrivalUs`, a clock that follows no jump, and greater than `afterSeq`. A
 * number ahead of that clock stays ahead by less than a day: the next ones follow by steps of one until it has caught
 * up.
 */
export function newArrivalSequence(
  afterSeq: number,
  arrivalUs: () => number,
  monotonicMs: () => number = now,
): ArrivalSequence {
  let lastSeq = afterSeq;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  // All numbers up to `marked.seq` were issued before `marked.atMs`; those up to `olderMark` SETTLE_MS before that.
  let marked = { seq: afterSeq, atMs: Number.NEGATIVE_INFINITY };
  let olderMark = afterSeq;

  function mark(atMs: number): void {
    if (atMs - marked.atMs < SETTLE_MS) return;
    olderMark = marked.seq;
    marked = { seq: lastSeq, atMs };
  }

  return {
    next(count = 1) {
      const atMs = monotonicMs();
      mark(atMs);
      const earliest = Math.max(lastSeq + 1, Math.round(arrivalUs()));
      const midnight = Math.ceil(earliest / DAY_US) * DAY_US;
      const first = earliest + count > midnight ? midnight : earliest;
      lastSeq = first + count - 1;
      lastAtMs = atMs;
      return first;
    },
    lowWatermark() {
      const atMs = monotonicMs();
      mark(atMs);
      return atMs - lastAtMs >= SETTLE_MS ? lastSeq : olderMark;
    },
  };
}

const now = (): number => performance.now();
