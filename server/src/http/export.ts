import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { epochSeconds } from '../api/operation.ts';
import { fromToken, toToken } from '../api/page-token.ts';
import { OpenrayError } from '../errors.ts';
import { parseFilter } from '../filter/parser.ts';
import { resourceSpansOf } from '../model/otlp/wire/resource-spans.ts';
import { type GroupOwner, resolveGroups } from '../query/groups.ts';
import { countTraces, findTraceSpans, type SpansOfTrace } from '../query/traces/trace-spans.ts';
import type { Store } from '../store/store.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';

/** How many traces the window has, whatever the filter. */
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

/**
 * `GET /export/traces`: traces of a window that match, newest first, as OTLP/JSON, a line each, for as long as the client
 * reads. `cursor` of a line is what `after` takes to go on behind it. An answer that ends without its last chunk is
 * incomplete.
 */
export function serveExport(
  app: FastifyInstance,
  { store, ...owner }: ExportContext,
  nowUs: () => number = () => Date.now() * 1000,
): void {
  app.get('/export/traces', async (request, reply) => {
    const parsed = query.safeParse(request.query);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new OpenrayError('InvalidRequestException', `${issue?.path.join('.')}: ${issue?.message}`);
    }
    const { start: fromUs = 0, end: toUs = nowUs() + 1, filter, after } = parsed.data;
    const options = { signal: abortOnDisconnect(reply) };
    const search = {
      window: { fromUs, toUs },
      timeRangeType: 'TraceId' as const,
      filter: filter === undefined ? undefined : await resolveGroups(store, owner, parseFilter(filter)),
      after: after === undefined ? undefined : fromToken(after, filter ?? ''),
    };
    async function* lines() {
      for await (const { place, ...trace } of findTraceSpans(store, search, options)) {
        yield `${JSON.stringify({ ...toOtlpJson(trace), cursor: toToken(place, filter ?? '') })}\n`;
      }
    }
    reply.header(TRACE_COUNT_HEADER, await countTraces(store, search.window, options));
    return reply.type('application/x-ndjson').send(Readable.from(lines()));
  });
}

function toOtlpJson({ spans, records }: SpansOfTrace): object {
  return {
    resourceSpans: resourceSpansOf(spans.map(({ spanWithResource: place }) => place)),
    ...(records.length > 0 && {
      resourceLogs: records.map(({ resource, resourceSchemaUrl, scope, scopeSchemaUrl, record }) => ({
        resource,
        scopeLogs: [{ scope, logRecords: [record], schemaUrl: scopeSchemaUrl }],
        schemaUrl: resourceSchemaUrl,
      })),
    }),
  };
}
