import { randomUUID } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import { formatTraceHeader, readTraceHeaders, type TraceHeader } from '../../model/trace-header.ts';
import { nowUs } from '../clock.ts';
import type { Functions } from '../functions.ts';
import type { SegmentSender } from '../segment-sender.ts';
import { newEntityId, newTraceId } from '../trace-decision.ts';
import {
  answerOf,
  failedAnswer,
  type GatewayAnswer,
  preflightAnswer,
  throttledAnswer,
  unroutedAnswer,
  withCors,
} from './answers.ts';
import { domainOf, type GatewayRequest, httpEvent, restEvent } from './events.ts';
import { type GatewayCall, gatewaySegment, openGatewaySegment } from './gateway-segment.ts';
import { matchRoute, type RouteMatch } from './match.ts';
import { openResponseStream, type StreamSink } from './response-stream.ts';
import type { GatewayRoute } from './routes.ts';

export type GatewayOptions = {
  readonly functions: Functions;
  readonly sender: SegmentSender;
  readonly accountId: string;
  readonly region: string;
  /** Whether a trace that the caller left open is recorded. */
  readonly sample: () => boolean;
};

/** API Gateway and function URLs over local functions. */
export type Gateway = {
  /**
   * Answers one request; undefined when the answer has gone to `sink`, as it does for a function that streams.
   * Never throws: what fails is an answer.
   */
  readonly handle: (request: GatewayRequest, sink: StreamSink) => Promise<GatewayAnswer | undefined>;
};

const URL_PATH = /^\/lambda-url\/([A-Za-z0-9_-]+)(\/.*)?$/;

export function openGateway(options: GatewayOptions): Gateway {
  return {
    async handle(request, sink) {
      const routes = options.functions.routes();
      const apiRoutes = routes.filter(({ api }) => api.kind !== 'url');
      const urlRoutes = routes.filter(({ api }) => api.kind === 'url');
      const found = findRoute(request, apiRoutes, urlRoutes);
      const origin = headerOf(request, 'origin');
      if (found === undefined) {
        const preflight = request.method === 'OPTIONS' ? corsApi(request, apiRoutes) : undefined;
        if (preflight !== undefined) return preflightAnswer(preflight, origin);
        return unroutedAnswer(apiRoutes.some(({ api }) => api.kind === 'rest'));
      }
      const { api } = found.match.route;
      if (request.method === 'OPTIONS' && api.kind !== 'rest' && api.cors !== undefined && origin !== undefined) {
        return preflightAnswer(api, origin);
      }
      const answer = await new Exchange(options, found.request, found.match, sink).run();
      return answer && withCors(answer, api, origin);
    },
  };
}

type Found = { readonly request: GatewayRequest; readonly match: RouteMatch };

/**
 * A function URL by its host, `NAME.localhost`, or below `/lambda-url/NAME`; else the routes of the APIs, with and
 * without the stage in front, as on AWS and as in `sam local`.
 */
function findRoute(
  request: GatewayRequest,
  apiRoutes: readonly GatewayRoute[],
  urlRoutes: readonly GatewayRoute[],
): Found | undefined {
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
function corsApi(request: GatewayRequest, routes: readonly GatewayRoute[]) {
  const any = routes.map((route) => ({ ...route, method: 'ANY' }));
  const api = matchRoute(any, 'ANY', request.path)?.route.api;
  return api?.cors === undefined ? undefined : api;
}

/** One request on its way through. */
class Exchange {
  readonly #options: GatewayOptions;
  readonly #request: GatewayRequest;
  readonly #match: RouteMatch;
  readonly #sink: StreamSink;
  readonly #requestId = randomUUID();
  #streamedStatus: number | undefined;
  #streamedBytes = 0;

  constructor(options: GatewayOptions, request: GatewayRequest, match: RouteMatch, sink: StreamSink) {
    this.#options = options;
    this.#request = request;
    this.#match = match;
    this.#sink = sink;
  }

  async run(): Promise<GatewayAnswer | undefined> {
    const { sender } = this.#options;
    const startUs = nowUs();
    const incoming = readTraceHeaders(
      headerOf(this.#request, 'x-amzn-trace-id'),
      headerOf(this.#request, 'traceparent'),
    );
    const call = this.#recordedCall(incoming);
    const header: TraceHeader =
      call === undefined
        ? passedOn(incoming, startUs)
        : { root: call.traceId, parent: call.ids.integration, sampled: '1', extras: incoming.extras };
    if (call) await sender.send(openGatewaySegment(call, startUs));
    const invokedUs = nowUs();
    const { answer, status } = await this.#invoke(formatTraceHeader(header), startUs);
    if (call) {
      const endUs = nowUs();
      const integration = { startUs: invokedUs, endUs, status };
      const sent = {
        status: answer?.status ?? this.#streamedStatus ?? 200,
        contentLength: answer?.body.length ?? this.#streamedBytes,
      };
      await sender.send(gatewaySegment(call, { startUs, endUs, integration, ...sent }));
    }
    return answer;
  }

  /** What the gateway would write; undefined when it has no tracing, or the trace is not recorded. */
  #recordedCall(incoming: TraceHeader): GatewayCall | undefined {
    const { accountId, region, sample } = this.#options;
    const { route } = this.#match;
    const told = incoming.root === undefined ? undefined : incoming.sampled;
    if (!route.api.isTraced || told === '0' || (told !== '1' && !sample())) return undefined;
    const host = headerOf(this.#request, 'host') ?? domainOf(route.api, { region });
    const query = this.#request.query === '' ? '' : `?${this.#request.query}`;
    return {
      api: route.api,
      request: this.#request,
      url: `http://${host}/${route.api.stage}${this.#request.path}${query}`,
      userAgent: headerOf(this.#request, 'user-agent'),
      requestId: this.#requestId,
      accountId,
      region,
      traceId: incoming.root ?? newTraceId(nowUs()),
      callerId: incoming.root === undefined ? undefined : incoming.parent,
      ids: { stage: newEntityId(), integration: newEntityId() },
      functionName: this.#options.functions.find(route.functionId).spec.name,
    };
  }

  async #invoke(traceHeader: string, startUs: number) {
    const { functions, accountId, region } = this.#options;
    const { route } = this.#match;
    const context = { requestId: this.#requestId, accountId, region, nowMs: Math.floor(startUs / 1000), traceHeader };
    const event = (route.payloadVersion === '1.0' ? restEvent : httpEvent)(this.#request, this.#match, context);
    const pass = openResponseStream({
      head: (head) => {
        this.#streamedStatus = head.status;
        this.#sink.head(head);
      },
      write: (chunk) => {
        this.#streamedBytes += chunk.length;
        return this.#sink.write(chunk);
      },
    });
    try {
      const result = await functions.invoke(route.functionId, {
        payload: Buffer.from(JSON.stringify(event)),
        traceHeader,
        invocationType: 'RequestResponse',
        ...(route.isStreamed ? { onChunk: pass } : {}),
      });
      if (this.#streamedStatus !== undefined) return { answer: undefined, status: 200 };
      const answer = result.functionError === undefined ? answerOf(route, result.payload) : failedAnswer(route.api);
      return { answer, status: 200 };
    } catch (error) {
      const isThrottled = error instanceof OpenrayError && error.code === 'ThrottledException';
      if (isThrottled) return { answer: throttledAnswer(route.api), status: 429 };
      return { answer: failedAnswer(route.api), status: 500 };
    }
  }
}

/** Without tracing the gateway hands on what came, and sees to it that there is a root. */
function passedOn({ root, parent, sampled, extras }: TraceHeader, atUs: number): TraceHeader {
  return root === undefined
    ? { root: newTraceId(atUs), parent: undefined, sampled: undefined, extras: [] }
    : { root, parent, sampled, extras };
}

function headerOf({ rawHeaders }: GatewayRequest, name: string): string | undefined {
  const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : rawHeaders[at + 1];
}
