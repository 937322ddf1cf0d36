/**
 * Arrival numbers: microseconds since 1970, strictly increasing within this process and greater than `afterSeq`. They
 * give the order of two documents with one id.
 */
export function newArrivalSequence(afterSeq = 0, nowMs: () => number = Date.now): () => number {
  let last = afterSeq;
  return () => {
    last = Math.max(last + 1, Math.round(nowMs() * 1000));
    return last;
  };
}
