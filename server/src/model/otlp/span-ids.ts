import { createHash } from 'node:crypto';
import type { EntityId, TraceId } from '../trace-id.ts';

/** Of the segment that stands for the service around a span that is both its first work and a call. */
export function serviceSegmentId(traceId: string, spanId: string): EntityId {
  return hashed(`openray/service-segment/${traceId}${spanId}`);
}

/** Of the exception that the event at `index` records, or of one of its causes. */
export function exceptionId(traceId: string, spanId: string, index: number, cause = 0): EntityId {
  return hashed(`openray/exception/${traceId}${spanId}/${index}/${cause}`);
}

function hashed(content: string): EntityId {
  return createHash('sha256').update(content).digest('hex').slice(0, 16) as EntityId;
}

const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_ID = '0'.repeat(16);

/** The parent of a span; eight zero bytes are how some senders write that there is none. */
export function parentIdOf(parentSpanId: string | undefined): EntityId | undefined {
  return parentSpanId === undefined || parentSpanId === '' || parentSpanId === ZERO_ID
    ? undefined
    : (parentSpanId as EntityId);
}

/** 32 hex digits in lower case, not all of them zero. */
export function isTraceId(text: string | undefined): text is TraceId {
  return text !== undefined && text !== ZERO_TRACE_ID && /^[0-9a-f]{32}$/.test(text);
}

/** 16 hex digits in lower case, not all of them zero. */
export function isSpanId(text: string | undefined): text is EntityId {
  return text !== undefined && text !== ZERO_ID && /^[0-9a-f]{16}$/.test(text);
}
