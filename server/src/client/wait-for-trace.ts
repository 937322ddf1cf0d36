import type { WaitForTraceResponse } from '../api/types.ts';
import { OpenrayError } from '../errors.ts';
import { formatTraceId, readTraceId } from '../model/trace-id.ts';
import { callServer } from './call-server.ts';
import { type RecordedTrace, recordedTrace } from './recorded-trace.ts';

export type WaitOptions = {
  /** Wait until all parts that the trace refers to have been received. Default: true. */
  readonly complete?: boolean;
  /** The caller in the trace header sends no segment, as with a header made by hand: do not wait for it. */
  readonly untracedCaller?: boolean;
  readonly timeoutMs?: number;
  /** For a filter: only traces that received a document since then, epoch milliseconds. Default: the last hour. */
  readonly sinceMs?: number;
  /** For a filter: only traces whose ids have this scope or none. Default: all traces. */
  readonly scope?: string;
};

/**
 * Waits for the trace with this id (either form), or for the newest one that matches the filter expression.
 * Throws ResourceNotFoundException after `timeoutMs`; the message lists the missing parts and shows the received ones.
 */
export async function waitForTrace(url: string, filterOrId: string, options: WaitOptions = {}): Promise<RecordedTrace> {
  const { complete = true, untracedCaller = false, timeoutMs = 10_000, sinceMs, scope } = options;
  const id = readTraceId(filterOrId);
  const response = await callServer<WaitForTraceResponse>(url, '/WaitForTrace', {
    ...(id === undefined ? { FilterExpression: filterOrId } : { TraceId: formatTraceId(id) }),
    ...(sinceMs === undefined ? {} : { StartTime: sinceMs / 1000 }),
    ...(scope === undefined ? {} : { Scope: scope }),
    Complete: complete,
    UntracedCaller: untracedCaller,
    TimeoutSeconds: timeoutMs / 1000,
  });
  const trace = recordedTrace(response.Documents);
  if (response.Found && trace !== undefined) return trace;
  const nothing = `no trace ${id === undefined ? `that matches ${filterOrId}` : filterOrId} was received within ${timeoutMs} ms`;
  const partly = `the trace was not complete after ${timeoutMs} ms: ${response.Missing.join('; ')}\n\n${trace}`;
  throw new OpenrayError('ResourceNotFoundException', trace === undefined ? nothing : partly);
}
