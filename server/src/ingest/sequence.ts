/**
 * Arrival numbers: microseconds since 1970, strictly increasing within this process, so that of two documents
 * with one id it is known which came first.
 */
export function newSequence(nowMs: () => number = Date.now): () => number {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.round(nowMs() * 1000));
    return last;
  };
}
