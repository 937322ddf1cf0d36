import { hash } from 'node:crypto';
import type { EntityId } from '../../trace-id.ts';

/** Id of the synthetic segment around a call that is the first work of its service. */
export function serviceSegmentId(traceId: string, spanId: string): EntityId {
  return hashed(`openray/service-segment/${traceId}${spanId}`);
}

/** Id of the exception of the event at `index`, or of one of its causes. */
export function exceptionId(traceId: string, spanId: string, index: number, cause = 0): EntityId {
  return hashed(`openray/exception/${traceId}${spanId}/${index}/${cause}`);
}

/**
 * Id of the server side of a span that both sides of a call share: in Zipkin the server may reuse the id of the client.
 */
export function serverSideId(traceId: string, sharedId: string): EntityId {
  return hashed(`openray/server-side/${traceId}${sharedId}`);
}

/** Id of any further span with the shared id. `side` is its kind and service. */
export function otherSideId(traceId: string, sharedId: string, side: string): EntityId {
  return hashed(`openray/other-side/${traceId}${sharedId}/${side}`);
}

/** Id of an inline subsegment with the id of an earlier one of its document. `index` counts the earlier ones. */
export function repeatedSubsegmentId(traceId: string, id: string, index: number): EntityId {
  return hashed(`openray/repeated-subsegment/${traceId}${id}/${index}`);
}

function hashed(content: string): EntityId {
  return hash('sha256', content).slice(0, 16) as EntityId;
}
