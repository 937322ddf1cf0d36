import type { EntityId, TraceId } from '../trace-id.ts';

const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_ID = '0'.repeat(16);

/** The parent of a span. Some senders write eight zero bytes for a span without a parent. */
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
