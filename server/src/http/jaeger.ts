import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  all,
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
import { jaegerOperations } from '../query/jaeger/operations.ts';
import {
  type JaegerSearch,
  jaegerDependencies,
  jaegerServices,
  loadJaegerTraces,
  searchJaegerTraces,
} from '../query/jaeger/search.ts';
import type { Store } from '../store/store.ts';
import { goneAway } from './abort-on-disconnect.ts';
import { ofFastify } from './errors.ts';

type Request<Params = unknown> = FastifyRequest<{ Params: Params; Querystring: Query }>;

const DEFAULT_LIMIT = 100;
const LOOKBACK_US = 48 * 3_600_000_000;
const DEPENDENCIES_LOOKBACK_MS = 24 * 3_600_000;

/**
 * Jaeger's query API, as far as its own pages and Grafana's data source ask it. Times are microseconds since 1970 in
 * searches, milliseconds for dependencies.
 * @see https://www.jaegertracing.io/docs/latest/architecture/apis/#internal-http-json
 */
export function serveJaeger(app: FastifyInstance, store: Store, nowUs: () => number = () => Date.now() * 1000): void {
  const routeOptions = { errorHandler: answerFailure };
  const lately = () => ({ fromUs: nowUs() - LOOKBACK_US, toUs: nowUs() + 1 });

  app.get('/api/services', routeOptions, async (_request, reply) =>
    structured(await jaegerServices(store, { signal: goneAway(reply) })),
  );

  app.get(
    '/api/services/:service/operations',
    routeOptions,
    async ({ params }: Request<{ service: string }>, reply) => {
      const query = { service: params.service, window: lately() };
      const operations = await jaegerOperations(store, query, { signal: goneAway(reply) });
      return structured([...new Set(operations.map(({ name }) => name))]);
    },
  );

  app.get('/api/operations', routeOptions, async ({ query }: Request, reply) => {
    const service = required(query, 'service');
    const kind = one(query, 'spanKind');
    const operations = await jaegerOperations(store, { service, window: lately() }, { signal: goneAway(reply) });
    return structured(operations.filter(({ spanKind }) => kind === undefined || spanKind === kind));
  });

  app.get('/api/traces', routeOptions, async ({ query }: Request, reply) => {
    const options = { signal: goneAway(reply) };
    const ids = all(query, 'traceID').map(parseJaegerTraceId);
    if (ids.length === 0) return traces(await searchJaegerTraces(store, searchOf(query, nowUs()), options));
    const found = await loadJaegerTraces(store, [...new Set(ids)], options);
    const missing = ids.filter((id) => !found.some(({ traceID }) => traceID === id));
    return traces(found, missing.length > 0 ? missing.map((traceID) => ({ msg: NOT_FOUND, traceID })) : null);
  });

  app.get('/api/traces/:id', routeOptions, async ({ params }: Request<{ id: string }>, reply) => {
    const found = await loadJaegerTraces(store, [parseJaegerTraceId(params.id)], { signal: goneAway(reply) });
    if (found.length === 0) throw new OpenrayError('ResourceNotFoundException', NOT_FOUND);
    return traces(found);
  });

  app.get('/api/dependencies', routeOptions, async ({ query }: Request, reply) => {
    const toUs = (whole(query, 'endTs') ?? nowUs() / 1000) * 1000;
    const lookbackMs = whole(query, 'lookback') ?? DEPENDENCIES_LOOKBACK_MS;
    const window = { fromUs: Math.max(0, Math.floor(toUs - lookbackMs * 1000)), toUs: Math.floor(toUs) + 1 };
    const dependencies = await jaegerDependencies(store, window, { signal: goneAway(reply) });
    const service = one(query, 'service');
    const wanted = dependencies.filter(
      ({ parent, child }) => service === undefined || parent === service || child === service,
    );
    return { ...structured(wanted), total: 0 };
  });
}

const NOT_FOUND = 'trace not found';

type StructuredError = { readonly code?: number; readonly msg: string; readonly traceID?: string };

function structured(list: readonly unknown[]): object {
  return { data: list, total: list.length, limit: 0, offset: 0, errors: null };
}

/** Jaeger counts traces nowhere. */
function traces(list: readonly unknown[], errors: readonly StructuredError[] | null = null): object {
  return { data: list, total: 0, limit: 0, offset: 0, errors };
}

function answerFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = ofFastify(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
  return reply
    .code(http)
    .send({ data: null, total: 0, limit: 0, offset: 0, errors: [{ code: http, msg: failure.message }] });
}

function searchOf(query: Query, nowUs: number): JaegerSearch {
  const limit = whole(query, 'limit') ?? DEFAULT_LIMIT;
  if (limit === 0) throw invalid('limit must be greater than 0');
  const fromUs = whole(query, 'start') ?? nowUs - LOOKBACK_US;
  const toUs = (whole(query, 'end') ?? nowUs) + 1;
  if (fromUs >= toUs) throw invalid('start time must be before end time');
  const minDurationUs = duration(query, 'minDuration');
  const maxDurationUs = duration(query, 'maxDuration');
  if (minDurationUs !== undefined && maxDurationUs !== undefined && maxDurationUs < minDurationUs) {
    throw invalid('maxDuration must be greater than minDuration');
  }
  return {
    window: { fromUs, toUs },
    service: required(query, 'service'),
    operation: one(query, 'operation'),
    tags: readTags(all(query, 'tag'), all(query, 'tags')),
    minDurationUs,
    maxDurationUs,
    limit,
  };
}
