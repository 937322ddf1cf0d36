import { createHash } from 'node:crypto';
import type { EntityId } from '../../trace-id.ts';

/** Id of the synthetic segment around a call that is the first work of its service. */
export function serviceSegmentId(traceId: string, spanId: string): EntityId {
  return hashed(`openray/service-segment/${traceId}${spanId}`);
}

/** Id of the exception of the event at `index`, or of one of its causes. */
export function exceptionId(traceId: string, spanId: string, index: number, cause = 0): EntityId {
  return hashed(`openray/exception/${traceId}${spanId}/${index}/${cause}`);
}

function hashed(content: string): EntityId {
  return createHash('sha256').update(content).digest('hex').slice(0, 16) as EntityId;
}
