import { OpenrayError } from '../../errors.ts';
import { fromThrough, isEmpty } from '../../model/time-interval.ts';
import type { JaegerSearch } from '../../query/jaeger/matches-search.ts';
import { jaegerOperations } from '../../query/jaeger/operations.ts';
import { jaegerDependencies, jaegerServices, loadJaegerTraces, searchJaegerTraces } from '../../query/jaeger/search.ts';
import {
  allValues,
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

const DEPENDENCIES_LOOKBACK_MS = 24 * 3_600_000;
const NOT_FOUND = 'trace not found';

/**
 * Jaeger's query API, as far as its own pages and Grafana's data source use it. Times are microseconds since 1970 in
 * searches, milliseconds for dependencies.
 * @see https://www.jaegertracing.io/docs/latest/architecture/apis/#internal-http-json
 */
export const jaegerV1: readonly JaegerRoute[] = [
  {
    path: '/api/services',
    async run(_request, { store, signal }) {
      return structuredResponse(await jaegerServices(store, { signal }));
    },
  },
  {
    path: '/api/services/:service/operations',
    async run({ params: { service = '' } }, { store, nowUs, signal }) {
      const operations = await jaegerOperations(store, { service, window: recentWindow(nowUs()) }, { signal });
      return structuredResponse([...new Set(operations.map(({ name }) => name))]);
    },
  },
  {
    path: '/api/operations',
    async run({ query }, { store, nowUs, signal }) {
      const service = requiredValue(query, 'service');
      const kind = firstValue(query, 'spanKind');
      const operations = await jaegerOperations(store, { service, window: recentWindow(nowUs()) }, { signal });
      return structuredResponse(operations.filter(({ spanKind }) => kind === undefined || spanKind === kind));
    },
  },
  {
    path: '/api/traces',
    async run({ query }, { store, nowUs, signal }) {
      const ids = allValues(query, 'traceID').map(parseJaegerTraceId);
      if (ids.length === 0) {
        return tracesResponse(await searchJaegerTraces(store, readSearch(query, nowUs()), { signal }));
      }
      const found = await loadJaegerTraces(store, [...new Set(ids)], { signal });
      const missing = ids.filter((id) => !found.some(({ traceID }) => traceID === id));
      return tracesResponse(found, missing.length > 0 ? missing.map((traceID) => ({ msg: NOT_FOUND, traceID })) : null);
    },
  },
  {
    path: '/api/traces/:id',
    async run({ params: { id = '' } }, { store, signal }) {
      const found = await loadJaegerTraces(store, [parseJaegerTraceId(id)], { signal });
      if (found.length === 0) throw new OpenrayError('ResourceNotFoundException', NOT_FOUND);
      return tracesResponse(found);
    },
  },
  {
    path: '/api/dependencies',
    async run({ query }, { store, nowUs, signal }) {
      const lastUs = (wholeNumber(query, 'endTs') ?? nowUs() / 1000) * 1000;
      const lookbackMs = wholeNumber(query, 'lookback') ?? DEPENDENCIES_LOOKBACK_MS;
      const window = fromThrough(Math.max(0, Math.floor(lastUs - lookbackMs * 1000)), Math.floor(lastUs));
      const dependencies = await jaegerDependencies(store, window, { signal });
      const service = firstValue(query, 'service');
      const matching = dependencies.filter(
        ({ parent, child }) => service === undefined || parent === service || child === service,
      );
      return { ...structuredResponse(matching), total: 0 };
    },
  },
];

/** The body of a failed request. */
export function jaegerV1Error(code: number, message: string): object {
  return { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg: message }] };
}

type StructuredError = { readonly msg: string; readonly traceID: string };

function structuredResponse(list: readonly unknown[]): object {
  return { data: list, total: list.length, limit: 0, offset: 0, errors: null };
}

/** `total` is 0, as in Jaeger's own responses with traces. */
function tracesResponse(list: readonly unknown[], errors: readonly StructuredError[] | null = null): object {
  return { data: list, total: 0, limit: 0, offset: 0, errors };
}

function readSearch(query: QueryParameters, nowUs: number): JaegerSearch {
  const limit = wholeNumber(query, 'limit') ?? DEFAULT_LIMIT;
  if (limit === 0) throw invalidRequest('limit must be greater than 0');
  const startUs = wholeNumber(query, 'start') ?? nowUs - LOOKBACK_US;
  const window = fromThrough(startUs, wholeNumber(query, 'end') ?? nowUs);
  if (isEmpty(window)) throw invalidRequest('start time must be before end time');
  const minDurationUs = durationUs(query, 'minDuration');
  const maxDurationUs = durationUs(query, 'maxDuration');
  if (minDurationUs !== undefined && maxDurationUs !== undefined && maxDurationUs < minDurationUs) {
    throw invalidRequest('maxDuration must be greater than minDuration');
  }
  return {
    window,
    service: requiredValue(query, 'service'),
    operation: firstValue(query, 'operation'),
    tags: readTags(allValues(query, 'tag'), allValues(query, 'tags')),
    minDurationUs,
    maxDurationUs,
    limit,
  };
}
