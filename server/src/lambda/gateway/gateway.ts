import type { LambdaService } from '../invoke/lambda-service.ts';
import type { GatewayRoute } from '../spec/routes.ts';
import type { SegmentSender } from '../tracing/segment-sender.ts';
import { type GatewayResponse, noRouteResponse, preflightResponse, withCors } from './answers.ts';
import { type GatewayRequest, headerOf } from './events.ts';
import { exchange } from './exchange.ts';
import { matchRoute, type RouteMatch } from './match.ts';
import type { StreamSink } from './response-stream.ts';

export type GatewayOptions = {
  readonly lambda: LambdaService;
  readonly sender: SegmentSender;
  readonly accountId: string;
  readonly region: string;
  /** Whether a trace that the caller left open is recorded. */
  readonly sample: () => boolean;
  /** Authorizers are asked unless this is false. */
  readonly callsAuthorizers?: boolean;
  /** Answers of its own when a function takes longer than API Gateway would wait; not while somebody debugs. */
  readonly hasTimeouts?: boolean;
};

/** API Gateway and function URLs over local functions. */
export type Gateway = {
  /**
   * Answers one request; undefined when the answer has gone to `sink`, as it does for a function that streams.
   * Never throws: what fails is an answer.
   */
  readonly handle: (request: GatewayRequest, sink: StreamSink) => Promise<GatewayResponse | undefined>;
};

const URL_PATH = /^\/lambda-url\/([A-Za-z0-9_-]+)(\/.*)?$/;

export function openGateway(options: GatewayOptions): Gateway {
  return {
    async handle(request, sink) {
      const routes = options.lambda.routes();
      const apiRoutes = routes.filter(({ api }) => api.kind !== 'url');
      const urlRoutes = routes.filter(({ api }) => api.kind === 'url');
      const found = findRoute(request, apiRoutes, urlRoutes);
      const origin = headerOf(request, 'origin');
      if (found === undefined) {
        const preflight = request.method === 'OPTIONS' ? preflightApi(request, apiRoutes) : undefined;
        if (preflight !== undefined) return preflightResponse(preflight, origin);
        return noRouteResponse(apiRoutes.some(({ api }) => api.kind === 'rest'));
      }
      const { api } = found.match.route;
      if (request.method === 'OPTIONS' && api.kind !== 'rest' && api.cors !== undefined && origin !== undefined) {
        return preflightResponse(api, origin);
      }
      const answer = await exchange(options, found.request, found.match, sink);
      return answer && withCors(answer, api, origin);
    },
  };
}

type FoundRoute = { readonly request: GatewayRequest; readonly match: RouteMatch };

/**
 * A function URL by its host, `NAME.localhost`, or below `/lambda-url/NAME`; else the routes of the APIs, with and
 * without the stage in front, as on AWS and as in `sam local`.
 */
function findRoute(
  request: GatewayRequest,
  apiRoutes: readonly GatewayRoute[],
  urlRoutes: readonly GatewayRoute[],
): FoundRoute | undefined {
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

/** The API that would answer a browser which asks first: one with this path under any method. */
function preflightApi(request: GatewayRequest, routes: readonly GatewayRoute[]) {
  const any = routes.map((route) => ({ ...route, method: 'ANY' }));
  const api = matchRoute(any, 'ANY', request.path)?.route.api;
  return api?.cors === undefined ? undefined : api;
}
