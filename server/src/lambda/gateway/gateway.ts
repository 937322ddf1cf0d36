import type { FixedTarget, GatewayRoute } from '../spec/routes.ts';
import { handleExchange } from './exchange.ts';
import { matchRoute, type RouteMatch } from './match.ts';
import type { GatewayOptions } from './options.ts';
import { type GatewayRequest, headerOf } from './proxy-events.ts';
import type { StreamSink } from './response-stream.ts';
import { allowsOrigin, type GatewayResponse, noRouteResponse, preflightResponse, withCors } from './responses.ts';

/** API Gateway and function URLs over local functions. */
export type Gateway = {
  /**
   * Answers one request; undefined when the response was written to `sink`, as a streamed one is.
   * Never throws; failures become HTTP responses.
   */
  readonly handle: (request: GatewayRequest, sink: StreamSink) => Promise<GatewayResponse | undefined>;
  /** Whether pages of this origin may send the request: the template configures CORS for its path and names them. */
  readonly allowsOrigin: (request: RequestedPath, origin: string) => boolean;
};

type RequestedPath = Pick<GatewayRequest, 'method' | 'path' | 'rawHeaders'>;

const URL_PATH = /^\/lambda-url\/([A-Za-z0-9_-]+)(\/.*)?$/;

export function openGateway(options: GatewayOptions): Gateway {
  const currentRoutes = () => {
    const routes = options.lambda.routes();
    return {
      apiRoutes: routes.filter(({ api }) => api.kind !== 'url'),
      urlRoutes: routes.filter(({ api }) => api.kind === 'url'),
    };
  };
  return {
    async handle(request, sink) {
      const { apiRoutes, urlRoutes } = currentRoutes();
      const found = findRoute(request, apiRoutes, urlRoutes);
      const origin = headerOf(request, 'origin');
      if (found === undefined) {
        const preflight = request.method === 'OPTIONS' ? preflightApi(request, apiRoutes) : undefined;
        if (preflight !== undefined) return preflightResponse(preflight, origin);
        return noRouteResponse(apiRoutes.some(({ api }) => api.kind === 'rest'));
      }
      const { api, method } = found.match.route;
      // With Cors, SAM adds a mock for OPTIONS to each path of a REST API that has none, beside the method ANY too.
      const isPreflight = api.kind === 'rest' ? method === 'ANY' : origin !== undefined;
      if (request.method === 'OPTIONS' && api.cors !== undefined && isPreflight) return preflightResponse(api, origin);
      const response = await handleExchange(options, found.request, found.match, sink);
      return response && withCors(response, api, origin);
    },
    allowsOrigin(request, origin) {
      const { apiRoutes, urlRoutes } = currentRoutes();
      const cors = (findRoute(request, apiRoutes, urlRoutes)?.match.route.api ?? preflightApi(request, apiRoutes))
        ?.cors;
      if (cors !== undefined) return allowsOrigin(cors, origin);
      const preflight = findRoute({ ...request, method: 'OPTIONS' }, apiRoutes, [])?.match.route.target;
      return preflight?.kind === 'fixed' && fixedOrigins(preflight).some((text) => text === '*' || text === origin);
    },
  };
}

/** Origins that a mock integration for OPTIONS allows, as the CDK and the Serverless Framework write it. */
function fixedOrigins({ headers }: FixedTarget): readonly string[] {
  return headers.flatMap(([name, value]) => (name.toLowerCase() === 'access-control-allow-origin' ? [value] : []));
}

type FoundRoute<Request> = { readonly request: Request; readonly match: RouteMatch };

/**
 * Finds a function URL by its host `NAME.localhost` or its path `/lambda-url/NAME`, else a route of an API. The path
 * may have the stage in front, as on AWS, or not, as in `sam local`.
 */
function findRoute<Request extends RequestedPath>(
  request: Request,
  apiRoutes: readonly GatewayRoute[],
  urlRoutes: readonly GatewayRoute[],
): FoundRoute<Request> | undefined {
  const host = /^([^.:]+)\.(?:lambda-url\.)?localhost(?::\d+)?$/i
    .exec(headerOf(request, 'host') ?? '')?.[1]
    ?.toLowerCase();
  const byHost = urlRoutes.find(({ api }) => api.name.toLowerCase() === host);
  if (byHost !== undefined) return { request, match: { route: byHost, pathParameters: {} } };
  const [, name, rest] = URL_PATH.exec(request.path) ?? [];
  const byPath = urlRoutes.find(({ api }) => api.name === name);
  if (byPath !== undefined) {
    return { request: { ...request, path: rest ?? '/' }, match: { route: byPath, pathParameters: {} } };
  }
  const match = matchRoute(apiRoutes, request.method, request.path);
  if (match !== undefined && match.route.path !== '$default') return { request, match };
  for (const stage of new Set(apiRoutes.map(({ api }) => api.stage))) {
    if (!request.path.startsWith(`/${stage}/`) && request.path !== `/${stage}`) continue;
    const inStage = { ...request, path: request.path.slice(stage.length + 1) || '/' };
    const ofStage = matchRoute(
      apiRoutes.filter(({ api }) => api.stage === stage),
      request.method,
      inStage.path,
    );
    if (ofStage !== undefined) return { request: inStage, match: ofStage };
  }
  return match && { request, match };
}

/** The API that answers a CORS preflight request: one with CORS and a route of this path, for any method. */
function preflightApi(request: RequestedPath, routes: readonly GatewayRoute[]) {
  const any = routes.map((route) => ({ ...route, method: 'ANY' }));
  const api = matchRoute(any, 'ANY', request.path)?.route.api;
  return api?.cors === undefined ? undefined : api;
}
