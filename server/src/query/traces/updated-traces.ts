import type { TraceId } from '../../model/trace-id.ts';

/** The traces that received documents last. */
export type UpdatedTraces = {
  /** Call with the traces of every stored batch, once it is stored. */
  add(traceIds: readonly TraceId[]): void;
  /**
   * The wanted traces with a document that arrived after `fromUs`, the latest first; it may name more traces. Undefined if
   * the traces since then are not all known.
   */
  since(fromUs: number, isWanted: (id: TraceId) => boolean): readonly TraceId[] | undefined;
};

/** Knows the last `maxTraces` traces with a document after `completeAfterUs`. */
export function newUpdatedTraces(completeAfterUs: number, maxTraces: number): UpdatedTraces {
  /** Time at which the last document of each trace was stored, in this order. It is never before the arrival. */
  const storedUs = new Map<TraceId, number>();
  let lastUs = 0;
  let knownAfterUs = completeAfterUs;
  return {
    add(traceIds) {
      lastUs = Math.max(lastUs, Date.now() * 1000);
      for (const id of traceIds) {
        storedUs.delete(id);
        storedUs.set(id, lastUs);
      }
      if (storedUs.size <= maxTraces) return;
      for (const [id, us] of storedUs) {
        storedUs.delete(id);
        knownAfterUs = Math.max(knownAfterUs, us);
        if (storedUs.size <= maxTraces) break;
      }
    },
    since(fromUs, isWanted) {
      if (fromUs <= knownAfterUs) return undefined;
      const ids: TraceId[] = [];
      // No iterator: it would allocate a pair for each of thousands of traces.
      storedUs.forEach((us, id) => {
        if (us >= fromUs && isWanted(id)) ids.push(id);
      });
      return ids.reverse();
    },
  };
}
