import type { TraceId } from './trace-id.ts';

/** Eight lower-case hex digits that tests put into the ids of their traces, so that they see no trace of each other. */
export type TraceScope = string & { readonly __brand: 'TraceScope' };

/** Marks ids with a scope. Of random ids one in 16 million begins so. */
const MARKER = '0a7e57';
const MARKER_AT = 8;
const SCOPE_AT = MARKER_AT + MARKER.length;
const RANDOM_AT = SCOPE_AT + 8;

/** `random` gives this many hex digits: 2^40 ids a second and scope. */
export const SCOPED_ID_RANDOM_DIGITS = 32 - RANDOM_AT;

/** Undefined if `text` is not eight lower-case hex digits. */
export function readTraceScope(text: string): TraceScope | undefined {
  return /^[0-9a-f]{8}$/.test(text) ? (text as TraceScope) : undefined;
}

/** A new id of a scope: the time in seconds as in every id, the marker, the scope, random digits. */
export function scopedTraceId(scope: TraceScope, nowUs: number, random: string): TraceId {
  const time = Math.floor(nowUs / 1e6)
    .toString(16)
    .padStart(8, '0');
  return `${time}${MARKER}${scope}${random}` as TraceId;
}

/** Whether a test of this scope sees the trace: its own, and those of senders that use no scope. */
export function isInScope(id: TraceId, scope: TraceScope): boolean {
  return !id.startsWith(MARKER, MARKER_AT) || id.startsWith(scope, SCOPE_AT);
}
