import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { parseFilter } from '../../filter/parser.ts';
import { asJson } from '../../model/parse-stored.ts';
import { formatTraceId } from '../../model/trace-id.ts';
import { readTraceScope } from '../../model/trace-scope.ts';
import { resolveGroups } from '../../query/groups.ts';
import type { TraceWait } from '../../query/traces/wait-for-trace.ts';
import { epochSeconds, optional, traceId } from '../fields.ts';
import { type ApiContext, operation } from '../operation.ts';
import type { WaitForTraceResponse } from '../types.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;
const DEFAULT_QUIET_SECONDS = 0.05;
const LOOKBACK_US = 60 * 60 * 1e6;

/**
 * WaitForTrace, openray's own: responds as soon as a trace with the id or one that matches the filter is stored, with
 * `Complete` as soon as it is complete. After the timeout it responds with the documents that have arrived and the
 * missing parts. For tests, so that they need neither sleep nor poll.
 */
export const waitForTrace = operation({
  name: 'WaitForTrace',
  path: '/WaitForTrace',
  input: z.object({
    TraceId: optional(traceId),
    FilterExpression: optional(z.string()),
    /** With a filter: only traces that start after this time; an hour ago by default. */
    StartTime: optional(epochSeconds),
    /** With a filter: only traces whose ids have this scope or none. */
    Scope: optional(z.string()),
    Complete: optional(z.boolean()),
    UntracedCaller: optional(z.boolean()),
    QuietSeconds: optional(z.number().min(0).max(60)),
    TimeoutSeconds: optional(z.number().min(0).max(900)),
  }),
  async run(input, context): Promise<WaitForTraceResponse> {
    const { trace, documents, isFound, missing } = await context.traceWaits.wait(
      {
        target: await readTraceSelector(input, context),
        completeness: input.Complete === true ? { isCallerUntraced: input.UntracedCaller === true } : undefined,
        quietMs: (input.QuietSeconds ?? DEFAULT_QUIET_SECONDS) * 1000,
        timeoutMs: (input.TimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      },
      context.signal,
    );
    return {
      TraceId: trace === undefined ? null : formatTraceId(trace.id),
      Found: isFound,
      Missing: missing,
      Documents: documents
        .map(({ format, text }) => asJson(format, text))
        .map(({ format, text }) => ({ Format: format, Body: text })),
    };
  },
});

async function readTraceSelector(
  input: {
    readonly TraceId: z.output<typeof traceId> | undefined;
    readonly FilterExpression: string | undefined;
    readonly Scope: string | undefined;
    readonly StartTime: number | undefined;
  },
  context: ApiContext,
): Promise<TraceWait['target']> {
  const { TraceId: id, FilterExpression: filter, StartTime: fromUs } = input;
  if ((id === undefined) === (filter === undefined)) {
    throw new OpenrayError('InvalidRequestException', 'name the trace by TraceId or by FilterExpression');
  }
  if (id !== undefined) return { id };
  const expanded = await resolveGroups(context.store, context, parseFilter(filter ?? ''));
  const scope = input.Scope === undefined ? undefined : readTraceScope(input.Scope);
  if (input.Scope !== undefined && scope === undefined) {
    throw new OpenrayError('InvalidRequestException', 'Scope must be eight lower-case hex digits');
  }
  return { filter: expanded, scope, fromUs: fromUs ?? Date.now() * 1000 - LOOKBACK_US };
}
