import type { Trace } from './trace.ts';

/**
 * From the earliest start to the latest end of all segments and their subsegments. Orphans are ignored. Unfinished
 * entities count with their start only. Undefined while no entity has finished.
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
