import type { WaitForTraceResponse } from '../api/types.ts';
import { OpenrayError } from '../errors.ts';
import { formatTraceId, readTraceId } from '../model/trace-id.ts';
import { callServer } from './call-server.ts';
import { type RecordedTrace, recordedTrace } from './recorded-trace.ts';

export type WaitOptions = {
  /** Wait until everything that the trace refers to has arrived. True unless told otherwise. */
  readonly complete?: boolean;
  /** The test itself sent a parent that never arrives, as in a header made by hand. */
  readonly untracedCaller?: boolean;
  readonly timeoutMs?: number;
  /** For a filter: only traces of which something arrived since, epoch milliseconds; the last hour by default. */
  readonly sinceMs?: number;
};

/**
 * The trace with this id (either form), or the newest one that matches the filter expression. Resolves as soon as it is
 * there. Throws ResourceNotFoundException when the time is over; the message says what was missing, and shows what came.
 */
export async function waitForTrace(url: string, filterOrId: string, options: WaitOptions = {}): Promise<RecordedTrace> {
  const { complete = true, untracedCaller = false, timeoutMs = 10_000, sinceMs } = options;
  const id = readTraceId(filterOrId);
  const answer = await callServer<WaitForTraceResponse>(url, '/WaitForTrace', {
    ...(id === undefined ? { FilterExpression: filterOrId } : { TraceId: formatTraceId(id) }),
    ...(sinceMs === undefined ? {} : { StartTime: sinceMs / 1000 }),
    Complete: complete,
    UntracedCaller: untracedCaller,
    TimeoutSeconds: timeoutMs / 1000,
  });
  const trace = recordedTrace(answer.Documents);
  if (answer.Found && trace !== undefined) return trace;
  const nothing = `no trace ${id === undefined ? `that matches ${filterOrId}` : filterOrId} came in ${timeoutMs} ms`;
  const partly = `the trace was not complete after ${timeoutMs} ms: ${answer.Missing.join('; ')}\n\n${trace}`;
  throw new OpenrayError('ResourceNotFoundException', trace === undefined ? nothing : partly);
}
