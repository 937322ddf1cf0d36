import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
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
} from '../api/jaeger/parameters.ts';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { jaegerOperations } from '../query/jaeger/operations.ts';
import {
  type JaegerSearch,
  jaegerDependencies,
  jaegerServices,
  loadJaegerTraces,
  searchJaegerTraces,
} from '../query/jaeger/search.ts';
import type { Store } from '../store/store.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { fromFastifyError } from './errors.ts';

type Request<Params = unknown> = FastifyRequest<{ Params: Params; Querystring: QueryParameters }>;

const DEFAULT_LIMIT = 100;
const LOOKBACK_US = 48 * 3_600_000_000;
const DEPENDENCIES_LOOKBACK_MS = 24 * 3_600_000;

/**
 * Jaeger's query API, as far as its own pages and Grafana's data source ask it. Times are microseconds since 1970 in
 * searches, milliseconds for dependencies.
 * @see https://www.jaegertracing.io/docs/latest/architecture/apis/#internal-http-json
 */
export function serveJaeger(app: FastifyInstance, store: Store, nowUs: () => number = () => Date.now() * 1000): void {
  const routeOptions = { errorHandler: sendFailure };
  const lately = () => ({ fromUs: nowUs() - LOOKBACK_US, toUs: nowUs() + 1 });

  app.get('/api/services', routeOptions, async (_request, reply) =>
    structuredResponse(await jaegerServices(store, { signal: abortOnDisconnect(reply) })),
  );

  app.get(
    '/api/services/:service/operations',
    routeOptions,
    async ({ params }: Request<{ service: string }>, reply) => {
      const query = { service: params.service, window: lately() };
      const operations = await jaegerOperations(store, query, { signal: abortOnDisconnect(reply) });
      return structuredResponse([...new Set(operations.map(({ name }) => name))]);
    },
  );

  app.get('/api/operations', routeOptions, async ({ query }: Request, reply) => {
    const service = requiredValue(query, 'service');
    const kind = firstValue(query, 'spanKind');
    const operations = await jaegerOperations(
      store,
      { service, window: lately() },
      { signal: abortOnDisconnect(reply) },
    );
    return structuredResponse(operations.filter(({ spanKind }) => kind === undefined || spanKind === kind));
  });

  app.get('/api/traces', routeOptions, async ({ query }: Request, reply) => {
    const options = { signal: abortOnDisconnect(reply) };
    const ids = allValues(query, 'traceID').map(parseJaegerTraceId);
    if (ids.length === 0) return tracesResponse(await searchJaegerTraces(store, readSearch(query, nowUs()), options));
    const found = await loadJaegerTraces(store, [...new Set(ids)], options);
    const missing = ids.filter((id) => !found.some(({ traceID }) => traceID === id));
    return tracesResponse(found, missing.length > 0 ? missing.map((traceID) => ({ msg: NOT_FOUND, traceID })) : null);
  });

  app.get('/api/traces/:id', routeOptions, async ({ params }: Request<{ id: string }>, reply) => {
    const found = await loadJaegerTraces(store, [parseJaegerTraceId(params.id)], { signal: abortOnDisconnect(reply) });
    if (found.length === 0) throw new OpenrayError('ResourceNotFoundException', NOT_FOUND);
    return tracesResponse(found);
  });

  app.get('/api/dependencies', routeOptions, async ({ query }: Request, reply) => {
    const toUs = (wholeNumber(query, 'endTs') ?? nowUs() / 1000) * 1000;
    const lookbackMs = wholeNumber(query, 'lookback') ?? DEPENDENCIES_LOOKBACK_MS;
    const window = { fromUs: Math.max(0, Math.floor(toUs - lookbackMs * 1000)), toUs: Math.floor(toUs) + 1 };
    const dependencies = await jaegerDependencies(store, window, { signal: abortOnDisconnect(reply) });
    const service = firstValue(query, 'service');
    const wanted = dependencies.filter(
      ({ parent, child }) => service === undefined || parent === service || child === service,
    );
    return { ...structuredResponse(wanted), total: 0 };
  });
}

const NOT_FOUND = 'trace not found';

type StructuredError = { readonly code?: number; readonly msg: string; readonly traceID?: string };

function structuredResponse(list: readonly unknown[]): object {
  return { data: list, total: list.length, limit: 0, offset: 0, errors: null };
}

/** Jaeger counts traces nowhere. */
function tracesResponse(list: readonly unknown[], errors: readonly StructuredError[] | null = null): object {
  return { data: list, total: 0, limit: 0, offset: 0, errors };
}

function sendFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = fromFastifyError(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
  return reply
    .code(http)
    .send({ data: null, total: 0, limit: 0, offset: 0, errors: [{ code: http, msg: failure.message }] });
}

function readSearch(query: QueryParameters, nowUs: number): JaegerSearch {
  const limit = wholeNumber(query, 'limit') ?? DEFAULT_LIMIT;
  if (limit === 0) throw invalidRequest('limit must be greater than 0');
  const fromUs = wholeNumber(query, 'start') ?? nowUs - LOOKBACK_US;
  const toUs = (wholeNumber(query, 'end') ?? nowUs) + 1;
  if (fromUs >= toUs) throw invalidRequest('start time must be before end time');
  const minDurationUs = durationUs(query, 'minDuration');
  const maxDurationUs = durationUs(query, 'maxDuration');
  if (minDurationUs !== undefined && maxDurationUs !== undefined && maxDurationUs < minDurationUs) {
    throw invalidRequest('maxDuration must be greater than minDuration');
  }
  return {
    window: { fromUs, toUs },
    service: requiredValue(query, 'service'),
    operation: firstValue(query, 'operation'),
    tags: readTags(allValues(query, 'tag'), allValues(query, 'tags')),
    minDurationUs,
    maxDurationUs,
    limit,
  };
}
