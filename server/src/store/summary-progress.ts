import type { ObjectName } from './objects.ts';

/**
 * How far `trace_summaries` has rows of the traces that were rolled up without them: see query/traces/summary-state.ts.
 * Without this object all of them are written again.
 */
export const SUMMARY_PROGRESS: ObjectName = { kind: 'trace-summaries', name: 'filled' };
