import { randomUUID } from 'node:crypto';
import { type OpenrayError, toFailure } from '../../errors.ts';
import type { JsonObject } from '../../model/json.ts';
import { formatTraceHeader, readTraceHeaders, type TraceHeader } from '../../model/trace-header.ts';
import type { EntityId } from '../../model/trace-id.ts';
import type { InvokeResult } from '../spec/lambda-client.ts';
import type { FunctionTarget } from '../spec/routes.ts';
import { nowUs } from '../tracing/clock.ts';
import { newEntityId, newTraceId } from '../tracing/sampling-decision.ts';
import { type AuthorizationResult, authorizationResult, authorizerInput } from './authorize.ts';
import { type FunctionCall, gatewaySegment, inProgressGatewaySegment, type TracedRequest } from './gateway-segment.ts';
import type { RouteMatch } from './match.ts';
import type { GatewayOptions } from './options.ts';
import { domainOf, type EventContext, type GatewayRequest, headerOf, httpEvent, restEvent } from './proxy-events.ts';
import { openResponseStream, type StreamSink } from './response-stream.ts';
import {
  BODY_MAX_BYTES,
  failedResponse,
  type GatewayResponse,
  responseOf,
  throttledResponse,
  timedOutResponse,
  tooLargeResponse,
} from './responses.ts';

/** State that the steps of one request share. */
type Exchange = {
  readonly options: GatewayOptions;
  readonly request: GatewayRequest;
  readonly match: RouteMatch;
  readonly sink: StreamSink;
  readonly requestId: string;
  readonly startUs: number;
  /** The caller's trace, or a new one: `root` is always set. */
  readonly incoming: TraceHeader;
  /** For the stage's segment; undefined when the API is not traced, or the request is not sampled. */
  readonly tracedRequest: TracedRequest | undefined;
  /** Calls of functions, in the order of their end. */
  readonly functionCalls: FunctionCall[];
  readonly streamed: { status: number | undefined; bytes: number };
};

/**
 * Handles one request: calls its authorizer and its function, makes the response and sends the stage's segment.
 * Undefined when the response was written to `sink`. Never throws; failures become HTTP responses.
 */
export async function handleExchange(
  options: GatewayOptions,
  request: GatewayRequest,
  match: RouteMatch,
  sink: StreamSink,
): Promise<GatewayResponse | undefined> {
  const startUs = nowUs();
  const requestId = randomUUID();
  const callerTrace = readTraceHeaders(headerOf(request, 'x-amzn-trace-id'), headerOf(request, 'traceparent'));
  const tracedRequest = tracedRequestOf({ options, request, match, requestId, incoming: callerTrace });
  const newTrace: TraceHeader = { root: newTraceId(startUs), parent: undefined, sampled: undefined, extras: [] };
  const incoming = callerTrace.root === undefined ? newTrace : callerTrace;
  const streamed: Exchange['streamed'] = { status: undefined, bytes: 0 };
  const exchange: Exchange = {
    options,
    request,
    match,
    sink,
    requestId,
    startUs,
    incoming,
    tracedRequest,
    functionCalls: [],
    streamed,
  };
  const { sender } = options;
  if (tracedRequest) await sender.send(inProgressGatewaySegment(tracedRequest, startUs));
  const response = await respondTo(exchange);
  if (tracedRequest) {
    const status = response?.status ?? streamed.status ?? 200;
    const contentLength = response?.body.length ?? streamed.bytes;
    await sender.send(
      gatewaySegment(tracedRequest, { startUs, endUs: nowUs(), calls: exchange.functionCalls, status, contentLength }),
    );
  }
  return response;
}

async function respondTo(exchange: Exchange): Promise<GatewayResponse | undefined> {
  const { target, authorization, api } = exchange.match.route;
  const { body } = exchange.request;
  if (api.kind !== 'url' && body.length > BODY_MAX_BYTES) {
    if (target.kind === 'function') {
      const reason = `the body of ${body.length} bytes is larger than API Gateway's limit of ${BODY_MAX_BYTES}`;
      refuse(exchange, target.functionId, 413, reason);
    }
    return tooLargeResponse(api, 'gateway');
  }
  let authorizer: JsonObject | undefined;
  if (authorization.kind === 'authorizer' && exchange.options.callsAuthorizers !== false) {
    const result = await callAuthorizer(exchange, authorization.authorizer);
    if (result.kind === 'rejected') return result.response;
    authorizer = result.authorizer;
  }
  if (target.kind === 'fixed') return { status: target.status, headers: target.headers, body: Buffer.alloc(0) };
  const id = newEntityId();
  const timeoutMs = exchange.options.hasTimeouts === false || target.isStreamed ? undefined : target.timeoutMs;
  return recordCall(exchange, id, target.functionId, async (traceHeader) => {
    const event = (target.payloadVersion === '1.0' ? restEvent : httpEvent)(
      exchange.request,
      exchange.match,
      eventContextOf(exchange, traceHeader, authorizer),
    );
    const running = invoke(exchange, target, event, traceHeader);
    const result = timeoutMs === undefined ? await running : await withTimeout(timeoutMs, running);
    if (result === undefined) return { response: timedOutResponse(api), status: 504 };
    if (exchange.streamed.status !== undefined) return { response: undefined, status: 200 };
    if (result.functionError !== undefined) return { response: failedResponse(api), status: 200 };
    const { response, malformed, warning } = responseOf(api, target, result.payload, exchange.request);
    if (warning !== undefined) refuse(exchange, target.functionId, response.status, warning);
    if (malformed !== undefined) {
      refuse(exchange, target.functionId, response.status, `the function's response is malformed: ${malformed}`);
    }
    return { response, status: 200 };
  });
}

async function callAuthorizer(
  exchange: Exchange,
  authorizer: Parameters<typeof authorizerInput>[0],
): Promise<AuthorizationResult> {
  const { options, request, match } = exchange;
  const { functionId } = authorizer;
  const id = newEntityId();
  const context = eventContextOf(exchange, traceHeaderFor(exchange, id));
  const input = authorizerInput(authorizer, request, match, context);
  if (input.kind === 'reject') return { kind: 'rejected', response: input.response };
  let authorization: AuthorizationResult | undefined;
  const response = await recordCall(exchange, id, functionId, async (traceHeader) => {
    const payload = Buffer.from(JSON.stringify(input.event));
    const result = await options.lambda.invoke(functionId, {
      payload,
      traceHeader,
      invocationType: 'RequestResponse',
    });
    const isFunctionError = result.functionError !== undefined;
    authorization = authorizationResult(
      authorizer,
      { payload: result.payload, isFunctionError },
      match,
      request,
      options,
    );
    return { response: failedResponse(match.route.api), status: 200 };
  });
  return authorization ?? { kind: 'rejected', response: response ?? failedResponse(match.route.api) };
}

/** Runs one call of a function and records its times. A failed call becomes the gateway's own response. */
async function recordCall(
  exchange: Exchange,
  id: EntityId,
  functionId: string,
  run: (traceHeader: string) => Promise<{ readonly response: GatewayResponse | undefined; readonly status: number }>,
): Promise<GatewayResponse | undefined> {
  const startUs = nowUs();
  const { response, status } = await run(traceHeaderFor(exchange, id)).catch((error: unknown) =>
    failedCall(exchange, functionId, toFailure(error)),
  );
  exchange.functionCalls.push({
    id,
    functionName: functionNameOf(exchange, functionId),
    startUs,
    endUs: nowUs(),
    status,
  });
  return response;
}

/** Lambda did not run the function. */
function failedCall(exchange: Exchange, functionId: string, failure: OpenrayError) {
  const { api } = exchange.match.route;
  switch (failure.code) {
    case 'ThrottledException':
      return { response: throttledResponse(api), status: 429 };
    case 'RequestTooLargeException':
      refuse(exchange, functionId, 413, failure.message);
      return { response: tooLargeResponse(api, 'lambda'), status: 413 };
    default:
      return { response: failedResponse(api), status: 500 };
  }
}

function refuse(exchange: Exchange, functionId: string, status: number, reason: string): void {
  const { method, path } = exchange.match.route;
  const functionName = functionNameOf(exchange, functionId);
  exchange.options.onRefusal?.({ route: `${method} ${path}`, functionName, status, reason });
}

function functionNameOf({ options }: Exchange, functionId: string): string {
  return options.lambda.find(functionId).spec.name;
}

async function invoke(
  { options, sink, streamed }: Exchange,
  { functionId, isStreamed }: FunctionTarget,
  event: JsonObject,
  traceHeader: string,
): Promise<InvokeResult> {
  const onChunk = openResponseStream({
    head: (head) => {
      streamed.status = head.status;
      sink.head(head);
    },
    write: (chunk) => {
      streamed.bytes += chunk.length;
      return sink.write(chunk);
    },
  });
  return options.lambda.invoke(functionId, {
    payload: Buffer.from(JSON.stringify(event)),
    traceHeader,
    invocationType: 'RequestResponse',
    ...(isStreamed ? { onChunk } : {}),
  });
}

/** Undefined when it takes longer; its later result or failure is ignored. */
async function withTimeout<Value>(timeoutMs: number, running: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  running.catch(() => {});
  return Promise.race([running, timedOut]).finally(() => clearTimeout(timer));
}

function eventContextOf(exchange: Exchange, traceHeader: string, authorizer?: JsonObject): EventContext {
  const { accountId, region } = exchange.options;
  const nowMs = Math.floor(exchange.startUs / 1000);
  return { requestId: exchange.requestId, accountId, region, nowMs, traceHeader, authorizer };
}

/** With tracing, the parent is the stage's call of the function; without, the caller's header is passed on. */
function traceHeaderFor({ tracedRequest, incoming }: Exchange, id: EntityId): string {
  if (tracedRequest === undefined) return formatTraceHeader(incoming);
  return formatTraceHeader({ root: tracedRequest.traceId, parent: id, sampled: '1', extras: incoming.extras });
}

function tracedRequestOf({
  options,
  request,
  match,
  requestId,
  incoming,
}: Pick<Exchange, 'options' | 'request' | 'match' | 'requestId' | 'incoming'>): TracedRequest | undefined {
  const { accountId, region, sample } = options;
  const { api } = match.route;
  const callerDecision = incoming.root === undefined ? undefined : incoming.sampled;
  if (!api.isTraced || callerDecision === '0' || (callerDecision !== '1' && !sample())) return undefined;
  const host = headerOf(request, 'host') ?? domainOf(api, { region });
  const query = request.query === '' ? '' : `?${request.query}`;
  return {
    api,
    request,
    url: `http://${host}/${api.stage}${request.path}${query}`,
    userAgent: headerOf(request, 'user-agent'),
    requestId,
    accountId,
    region,
    traceId: incoming.root ?? newTraceId(nowUs()),
    callerId: incoming.root === undefined ? undefined : incoming.parent,
    id: newEntityId(),
  };
}
