import * as z from 'zod';
import { issueSentence, OpenrayError } from '../../errors.ts';
import { parseFilter } from '../../filter/parser.ts';
import { resourceSpansOf } from '../../model/otlp/wire/resource-spans.ts';
import { fromThrough } from '../../model/time-interval.ts';
import { type GroupOwner, resolveGroups } from '../../query/groups.ts';
import { countTraces, findTraceSpans, type SpansOfTrace } from '../../query/traces/trace-spans.ts';
import type { Store } from '../../store/store.ts';
import { epochSeconds } from '../fields.ts';
import { fromToken, toToken } from '../page-token.ts';

/** Header with the number of traces in the window, including those that the filter excludes. */
export const TRACE_COUNT_HEADER = 'x-openray-trace-count';

const seconds = z
  .string()
  .transform((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text))
  .pipe(epochSeconds);

const query = z.object({
  start: seconds.optional(),
  end: seconds.optional(),
  filter: z.string().optional(),
  after: z.string().optional(),
});

export type ExportContext = GroupOwner & { readonly store: Store };

export type TraceExport = {
  /** Traces in the window, including those that the filter excludes. */
  readonly traceCount: number;
  /** One trace a line, newest first; read from the store as they are consumed. */
  readonly lines: AsyncIterable<string>;
};

/**
 * Traces of a time interval that match a filter as OTLP/JSON lines. `cursor` of a line is the value of `after` that
 * continues behind this line. Throws InvalidRequestException when a parameter is invalid or the filter does not parse.
 */
export async function exportTraces(
  parameters: unknown,
  { store, ...owner }: ExportContext,
  signal: AbortSignal,
  nowUs: () => number = () => Date.now() * 1000,
): Promise<TraceExport> {
  const parsed = query.safeParse(parameters);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new OpenrayError('InvalidRequestException', `${issue?.path.join('.')}: ${issueSentence(issue)}`);
  }
  const { start = 0, end, filter, after } = parsed.data;
  const search = {
    window: end === undefined ? fromThrough(start, nowUs()) : { fromUs: start, toUs: end },
    timeRangeType: 'TraceId' as const,
    filter: filter === undefined ? undefined : await resolveGroups(store, owner, parseFilter(filter)),
    after: after === undefined ? undefined : fromToken(after, filter ?? ''),
  };
  async function* lines() {
    for await (const { sortKey, ...trace } of findTraceSpans(store, search, { signal })) {
      yield `${JSON.stringify({ ...toOtlpJson(trace), cursor: toToken(sortKey, filter ?? '') })}\n`;
    }
  }
  return { traceCount: await countTraces(store, search.window, { signal }), lines: lines() };
}

function toOtlpJson({ spans, records, firstPart }: SpansOfTrace): object {
  return {
    // OTLP has no member for it, and its readers ignore unknown ones.
    ...(firstPart && { limitExceeded: true }),
    resourceSpans: resourceSpansOf(spans.map(({ spanWithResource }) => spanWithResource)),
    ...(records.length > 0 && {
      resourceLogs: records.map(({ resource, resourceSchemaUrl, scope, scopeSchemaUrl, record }) => ({
        resource,
        scopeLogs: [{ scope, logRecords: [record], schemaUrl: scopeSchemaUrl }],
        schemaUrl: resourceSchemaUrl,
      })),
    }),
  };
}
