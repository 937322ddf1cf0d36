import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  duration,
  invalid,
  one,
  parseJaegerTraceId,
  type Query,
  readTags,
  required,
  whole,
} from '../api/jaeger/parameters.ts';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { jaegerSummary } from '../model/jaeger-summary.ts';
import { resourceSpansOf } from '../model/otlp/wire/resource-spans.ts';
import { jaegerOperations } from '../query/jaeger/operations.ts';
import { type JaegerSearch, jaegerServices, searchJaegerTraces } from '../query/jaeger/search.ts';
import { loadTraceSpans } from '../query/traces/trace-spans.ts';
import type { Store } from '../store/store.ts';
import { goneAway } from './abort-on-disconnect.ts';
import { ofFastify } from './errors.ts';

type Request<Params = unknown> = FastifyRequest<{ Params: Params; Querystring: Query }>;

const DEFAULT_LIMIT = 100;
const LOOKBACK_US = 48 * 3_600_000_000;

/**
 * What Jaeger's newer pages ask: lists of traces by their summaries, and OTLP/JSON for a trace itself.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto
 */
export function serveJaegerV3(app: FastifyInstance, store: Store, nowUs: () => number = () => Date.now() * 1000): void {
  const routeOptions = { errorHandler: answerFailure };

  app.get('/api/v3/services', routeOptions, async (_request, reply) => ({
    services: await jaegerServices(store, { signal: goneAway(reply) }),
  }));

  app.get('/api/v3/operations', routeOptions, async ({ query }: Request, reply) => {
    const window = { fromUs: nowUs() - LOOKBACK_US, toUs: nowUs() + 1 };
    const asked = { service: required(query, 'service'), window };
    const operations = await jaegerOperations(store, asked, { signal: goneAway(reply) });
    const kind = one(query, 'span_kind');
    return { operations: operations.filter(({ spanKind }) => kind === undefined || spanKind === kind) };
  });

  app.get('/api/v3/trace-summaries', routeOptions, async ({ query }: Request, reply) => {
    const found = await searchJaegerTraces(store, searchOf(query, nowUs()), { signal: goneAway(reply) });
    return { summaries: found.map(jaegerSummary) };
  });

  app.get('/api/v3/traces/:id', routeOptions, async ({ params }: Request<{ id: string }>, reply) => {
    const id = parseJaegerTraceId(params.id);
    const [trace] = await loadTraceSpans(store, [id], { signal: goneAway(reply) });
    if (trace === undefined) throw new OpenrayError('ResourceNotFoundException', 'trace not found');
    return { result: { resourceSpans: resourceSpansOf(trace.spans.map(({ place }) => place)) } };
  });
}

function searchOf(query: Query, nowUs: number): JaegerSearch {
  const attributes = one(query, 'query.attributes');
  return {
    window: {
      fromUs: time(query, 'query.start_time_min') ?? nowUs - LOOKBACK_US,
      toUs: (time(query, 'query.start_time_max') ?? nowUs) + 1,
    },
    service: required(query, 'query.service_name'),
    operation: one(query, 'query.span_name') ?? one(query, 'query.operation_name'),
    tags: readTags([], attributes === undefined ? [] : [attributes]),
    minDurationUs: duration(query, 'query.duration_min'),
    maxDurationUs: duration(query, 'query.duration_max'),
    limit: whole(query, 'query.num_traces') ?? whole(query, 'query.search_depth') ?? DEFAULT_LIMIT,
  };
}

function time(query: Query, name: string): number | undefined {
  const text = one(query, name);
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalid(`parameter '${name}' is no time such as 2026-05-24T14:13:20Z`);
  return ms * 1000;
}

function answerFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = ofFastify(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
  return reply.code(http).send({ error: { httpCode: http, message: failure.message } });
}
