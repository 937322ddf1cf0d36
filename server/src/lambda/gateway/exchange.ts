import { randomUUID } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import type { JsonObject } from '../../model/json.ts';
import { formatTraceHeader, readTraceHeaders, type TraceHeader } from '../../model/trace-header.ts';
import type { EntityId } from '../../model/trace-id.ts';
import type { InvokeResult } from '../invoke/lambda-service.ts';
import type { FunctionTarget } from '../spec/routes.ts';
import { nowUs } from '../tracing/clock.ts';
import {
  type FunctionCall,
  gatewaySegment,
  inProgressGatewaySegment,
  type TracedRequest,
} from '../tracing/gateway-segment.ts';
import { newEntityId, newTraceId } from '../tracing/sampling-decision.ts';
import { failedResponse, type GatewayResponse, responseOf, throttledResponse, timedOutResponse } from './answers.ts';
import { type AuthorizationResult, authorizationResult, authorizerInput } from './authorize.ts';
import { domainOf, type EventContext, type GatewayRequest, headerOf, httpEvent, restEvent } from './events.ts';
import type { GatewayOptions } from './gateway.ts';
import type { RouteMatch } from './match.ts';
import { openResponseStream, type StreamSink } from './response-stream.ts';

/** What the steps of one request share. */
type Exchange = {
  readonly options: GatewayOptions;
  readonly request: GatewayRequest;
  readonly match: RouteMatch;
  readonly sink: StreamSink;
  readonly requestId: string;
  readonly startUs: number;
  /** Of the caller; with a root in any case. */
  readonly incoming: TraceHeader;
  /** What the gateway writes of it; undefined when it has no tracing, or the trace is not recorded. */
  readonly tracedRequest: TracedRequest | undefined;
  /** Functions that were called, in order. */
  readonly functionCalls: FunctionCall[];
  readonly streamed: { status: number | undefined; bytes: number };
};

/**
 * One request on its way through: its authorizer, its function, its answer, and the stage's segment. Undefined when the
 * answer has gone to `sink`. Never throws: what fails is an answer.
 */
export async function exchange(
  options: GatewayOptions,
  request: GatewayRequest,
  match: RouteMatch,
  sink: StreamSink,
): Promise<GatewayResponse | undefined> {
  const startUs = nowUs();
  const requestId = randomUUID();
  const sent = readTraceHeaders(headerOf(request, 'x-amzn-trace-id'), headerOf(request, 'traceparent'));
  const call = tracedRequestOf({ options, request, match, requestId, incoming: sent });
  const begun: TraceHeader = { root: newTraceId(startUs), parent: undefined, sampled: undefined, extras: [] };
  const incoming = sent.root === undefined ? begun : sent;
  const streamed: Exchange['streamed'] = { status: undefined, bytes: 0 };
  const own: Exchange = {
    options,
    request,
    match,
    sink,
    requestId,
    startUs,
    incoming,
    tracedRequest: call,
    functionCalls: [],
    streamed,
  };
  const { sender } = options;
  if (call) await sender.send(inProgressGatewaySegment(call, startUs));
  const answer = await respondTo(own);
  if (call) {
    const status = answer?.status ?? streamed.status ?? 200;
    const contentLength = answer?.body.length ?? streamed.bytes;
    await sender.send(
      gatewaySegment(call, { startUs, endUs: nowUs(), calls: own.functionCalls, status, contentLength }),
    );
  }
  return answer;
}

async function respondTo(own: Exchange): Promise<GatewayResponse | undefined> {
  const { target, authorization: guard, api } = own.match.route;
  let authorizer: JsonObject | undefined;
  if (guard.kind === 'asks' && own.options.callsAuthorizers !== false) {
    const admission = await callAuthorizer(own, guard.authorizer);
    if (admission.kind === 'refused') return admission.response;
    authorizer = admission.authorizer;
  }
  if (target.kind === 'fixed') return { status: target.status, headers: target.headers, body: Buffer.alloc(0) };
  const id = newEntityId();
  const limitMs = own.options.hasTimeouts === false || target.isStreamed ? undefined : target.timeoutMs;
  return recordCall(own, id, target.functionId, async (traceHeader) => {
    const event = (target.payloadVersion === '1.0' ? restEvent : httpEvent)(
      own.request,
      own.match,
      eventContextOf(own, traceHeader, authorizer),
    );
    const running = invoke(own, target, event, traceHeader);
    const result = limitMs === undefined ? await running : await withTimeout(limitMs, running);
    if (result === undefined) return { answer: timedOutResponse(api), status: 504 };
    if (own.streamed.status !== undefined) return { answer: undefined, status: 200 };
    const isFailed = result.functionError !== undefined;
    return { answer: isFailed ? failedResponse(api) : responseOf(api, target, result.payload), status: 200 };
  });
}

async function callAuthorizer(
  own: Exchange,
  authorizer: Parameters<typeof authorizerInput>[0],
): Promise<AuthorizationResult> {
  const { options, request, match } = own;
  const { functionId } = authorizer;
  const id = newEntityId();
  const question = authorizerInput(authorizer, request, match, eventContextOf(own, traceHeaderFor(own, id)));
  if (question.kind === 'refuse') return { kind: 'refused', response: question.response };
  let admission: AuthorizationResult | undefined;
  const answer = await recordCall(own, id, functionId, async (traceHeader) => {
    const payload = Buffer.from(JSON.stringify(question.event));
    const result = await options.lambda.invoke(functionId, {
      payload,
      traceHeader,
      invocationType: 'RequestResponse',
    });
    const isFunctionError = result.functionError !== undefined;
    admission = authorizationResult(authorizer, { payload: result.payload, isFunctionError }, match, request, options);
    return { answer: failedResponse(match.route.api), status: 200 };
  });
  return admission ?? { kind: 'refused', response: answer ?? failedResponse(match.route.api) };
}

/** One call of a function, with its span. What Lambda refuses becomes the gateway's answer. */
async function recordCall(
  own: Exchange,
  id: EntityId,
  functionId: string,
  run: (traceHeader: string) => Promise<{ readonly answer: GatewayResponse | undefined; readonly status: number }>,
): Promise<GatewayResponse | undefined> {
  const { api } = own.match.route;
  const startUs = nowUs();
  const { answer, status } = await run(traceHeaderFor(own, id)).catch((error: unknown) =>
    error instanceof OpenrayError && error.code === 'ThrottledException'
      ? { answer: throttledResponse(api), status: 429 }
      : { answer: failedResponse(api), status: 500 },
  );
  const { lambda: functions } = own.options;
  own.functionCalls.push({ id, functionName: functions.find(functionId).spec.name, startUs, endUs: nowUs(), status });
  return answer;
}

async function invoke(
  { options, sink, streamed }: Exchange,
  { functionId, isStreamed }: FunctionTarget,
  event: JsonObject,
  traceHeader: string,
): Promise<InvokeResult> {
  const pass = openResponseStream({
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
    ...(isStreamed ? { onChunk: pass } : {}),
  });
}

/** Undefined when it takes longer; what it comes to then is nobody's concern. */
async function withTimeout<Value>(limitMs: number, running: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  running.catch(() => {});
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}

function eventContextOf(own: Exchange, traceHeader: string, authorizer?: JsonObject): EventContext {
  const { accountId, region } = own.options;
  const nowMs = Math.floor(own.startUs / 1000);
  return { requestId: own.requestId, accountId, region, nowMs, traceHeader, authorizer };
}

/** With tracing a function hangs below the stage's call of it; without, what came is handed on. */
function traceHeaderFor({ tracedRequest: call, incoming }: Exchange, id: EntityId): string {
  if (call === undefined) return formatTraceHeader(incoming);
  return formatTraceHeader({ root: call.traceId, parent: id, sampled: '1', extras: incoming.extras });
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
  const told = incoming.root === undefined ? undefined : incoming.sampled;
  if (!api.isTraced || told === '0' || (told !== '1' && !sample())) return undefined;
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
