import { OpenrayError } from '../../errors.ts';
import { jaegerSummary } from '../../model/jaeger-summary.ts';
import { resourceSpansOf } from '../../model/otlp/wire/resource-spans.ts';
import { fromThrough } from '../../model/time-interval.ts';
import type { JaegerSearch } from '../../query/jaeger/matches-search.ts';
import { jaegerOperations } from '../../query/jaeger/operations.ts';
import { jaegerServices, searchJaegerTraces } from '../../query/jaeger/search.ts';
import { loadSpansOfTraces } from '../../query/traces/trace-spans.ts';
import {
  durationUs,
  firstValue,
  invalidRequest,
  parseJaegerTraceId,
  type QueryParameters,
  readTags,
  requiredValue,
  wholeNumber,
} from './parameters.ts';
import { DEFAULT_LIMIT, type JaegerRoute, LOOKBACK_US, recentWindow } from './route.ts';

/**
 * The paths that Jaeger's newer pages use: lists of traces by their summaries, and OTLP/JSON for a trace itself.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto
 */
export const jaegerV3: readonly JaegerRoute[] = [
  {
    path: '/api/v3/services',
    async run(_request, { store, signal }) {
      return { services: await jaegerServices(store, { signal }) };
    },
  },
  {
    path: '/api/v3/operations',
    async run({ query }, { store, nowUs, signal }) {
      const service = requiredValue(query, 'service');
      const operations = await jaegerOperations(store, { service, window: recentWindow(nowUs()) }, { signal });
      const kind = firstValue(query, 'span_kind');
      return { operations: operations.filter(({ spanKind }) => kind === undefined || spanKind === kind) };
    },
  },
  {
    path: '/api/v3/trace-summaries',
    async run({ query }, { store, nowUs, signal }) {
      const found = await searchJaegerTraces(store, readSearch(query, nowUs()), { signal });
      return { summaries: found.map(jaegerSummary) };
    },
  },
  {
    path: '/api/v3/traces/:id',
    async run({ params: { id = '' } }, { store, signal }) {
      const [trace] = await loadSpansOfTraces(store, [parseJaegerTraceId(id)], { signal });
      if (trace === undefined) throw new OpenrayError('ResourceNotFoundException', 'trace not found');
      const spans = trace.spans.map(({ spanWithResource }) => spanWithResource);
      return { result: { resourceSpans: resourceSpansOf(spans) } };
    },
  },
];

/** The body of a failed request. */
export function jaegerV3Error(code: number, message: string): object {
  return { error: { httpCode: code, message } };
}

function readSearch(query: QueryParameters, nowUs: number): JaegerSearch {
  const attributes = firstValue(query, 'query.attributes');
  return {
    window: fromThrough(
      timeUs(query, 'query.start_time_min') ?? nowUs - LOOKBACK_US,
      timeUs(query, 'query.start_time_max') ?? nowUs,
    ),
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
  if (Number.isNaN(ms)) throw invalidRequest(`parameter '${name}' is not a time such as 2026-05-24T14:13:20Z`);
  return ms * 1000;
}
