import type { Trace } from './trace.ts';

/**
 * From the earliest start to the latest end of everything below a segment. Orphans do not stretch it, what is
 * unfinished counts with its start only. Undefined while nothing has finished.
 */
export function traceDurationUs(trace: Trace): number | undefined {
  let startUs = Number.POSITIVE_INFINITY;
  let endUs = Number.NEGATIVE_INFINITY;
  for (const entity of trace.entities.values()) {
    if (!trace.segmentOf.has(entity.id)) continue;
    if (entity.startUs < startUs) startUs = entity.startUs;
    if (entity.endUs !== undefined && entity.endUs > endUs) endUs = entity.endUs;
  }
  return endUs === Number.NEGATIVE_INFINITY ? undefined : Math.max(0, endUs - startUs);
}
