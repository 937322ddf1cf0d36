import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  durationUs,
  firstValue,
  invalidRequest,
  parseJaegerTraceId,
  type QueryParameters,
  readTags,
  requiredValue,
  wholeNumber,
} from '../api/jaeger/parameters.ts';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { jaegerSummary } from '../model/jaeger-summary.ts';
import { resourceSpansOf } from '../model/otlp/wire/resource-spans.ts';
import { jaegerOperations } from '../query/jaeger/operations.ts';
import { type JaegerSearch, jaegerServices, searchJaegerTraces } from '../query/jaeger/search.ts';
import { loadTraceSpans } from '../query/traces/trace-spans.ts';
import type { Store } from '../store/store.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { fromFastifyError } from './errors.ts';

type Request<Params = unknown> = FastifyRequest<{ Params: Params; Querystring: QueryParameters }>;

const DEFAULT_LIMIT = 100;
const LOOKBACK_US = 48 * 3_600_000_000;

/**
 * What Jaeger's newer pages ask: lists of traces by their summaries, and OTLP/JSON for a trace itself.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto
 */
export function serveJaegerV3(app: FastifyInstance, store: Store, nowUs: () => number = () => Date.now() * 1000): void {
  const routeOptions = { errorHandler: sendFailure };

  app.get('/api/v3/services', routeOptions, async (_request, reply) => ({
    services: await jaegerServices(store, { signal: abortOnDisconnect(reply) }),
  }));

  app.get('/api/v3/operations', routeOptions, async ({ query }: Request, reply) => {
    const window = { fromUs: nowUs() - LOOKBACK_US, toUs: nowUs() + 1 };
    const asked = { service: requiredValue(query, 'service'), window };
    const operations = await jaegerOperations(store, asked, { signal: abortOnDisconnect(reply) });
    const kind = firstValue(query, 'span_kind');
    return { operations: operations.filter(({ spanKind }) => kind === undefined || spanKind === kind) };
  });

  app.get('/api/v3/trace-summaries', routeOptions, async ({ query }: Request, reply) => {
    const found = await searchJaegerTraces(store, readSearch(query, nowUs()), { signal: abortOnDisconnect(reply) });
    return { summaries: found.map(jaegerSummary) };
  });

  app.get('/api/v3/traces/:id', routeOptions, async ({ params }: Request<{ id: string }>, reply) => {
    const id = parseJaegerTraceId(params.id);
    const [trace] = await loadTraceSpans(store, [id], { signal: abortOnDisconnect(reply) });
    if (trace === undefined) throw new OpenrayError('ResourceNotFoundException', 'trace not found');
    return { result: { resourceSpans: resourceSpansOf(trace.spans.map(({ spanWithResource: place }) => place)) } };
  });
}

function readSearch(query: QueryParameters, nowUs: number): JaegerSearch {
  const attributes = firstValue(query, 'query.attributes');
  return {
    window: {
      fromUs: timeUs(query, 'query.start_time_min') ?? nowUs - LOOKBACK_US,
      toUs: (timeUs(query, 'query.start_time_max') ?? nowUs) + 1,
    },
    service: requiredValue(query, 'query.service_name'),
    operation: firstValue(query, 'query.span_name') ?? firstValue(query, 'query.operation_name'),
    tags: readTags([], attributes === undefined ? [] : [attributes]),
    minDurationUs: durationUs(query, 'query.duration_min'),
    maxDurationUs: durationUs(query, 'query.duration_max'),
    limit: wholeNumber(query, 'query.num_traces') ?? wholeNumber(query, 'query.search_depth') ?? DEFAULT_LIMIT,
  };
}

function timeUs(query: QueryParameters, name: string): number | undefined {
  const text = firstValue(query, name);
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalidRequest(`parameter '${name}' is no time such as 2026-05-24T14:13:20Z`);
  return ms * 1000;
}

function sendFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = fromFastifyError(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
  return reply.code(http).send({ error: { httpCode: http, message: failure.message } });
}
