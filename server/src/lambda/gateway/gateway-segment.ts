import type { JsonObject } from '../../model/json.ts';
import { type EntityId, formatTraceId, type TraceId } from '../../model/trace-id.ts';
import type { GatewayApi } from '../spec/routes.ts';
import type { GatewayRequest } from './proxy-events.ts';

export type TracedRequest = {
  readonly api: GatewayApi;
  readonly request: GatewayRequest;
  readonly url: string;
  readonly userAgent: string | undefined;
  readonly requestId: string;
  readonly accountId: string;
  readonly region: string;
  readonly traceId: TraceId;
  readonly callerId: EntityId | undefined;
  readonly id: EntityId;
};

/** One call of a function: of an authorizer, or of the route's function. */
export type FunctionCall = {
  readonly id: EntityId;
  readonly functionName: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly status: number;
};

export type GatewayOutcome = {
  readonly startUs: number;
  readonly endUs: number;
  /** In the order of their end. */
  readonly calls: readonly FunctionCall[];
  readonly status: number;
  readonly contentLength: number;
};

/** The stage's segment while the request runs. API Gateway writes it for REST APIs with tracing. */
export function inProgressGatewaySegment(traced: TracedRequest, startUs: number): JsonObject {
  return { ...commonFields(traced, startUs), http: { request: requestOf(traced) }, in_progress: true };
}

/** The stage's complete segment. */
export function gatewaySegment(traced: TracedRequest, outcome: GatewayOutcome): JsonObject {
  return {
    ...commonFields(traced, outcome.startUs),
    end_time: outcome.endUs / 1e6,
    http: { request: requestOf(traced), response: { status: outcome.status, content_length: outcome.contentLength } },
    ...flags(outcome.status),
    ...(outcome.calls.length === 0 ? {} : { subsegments: outcome.calls.map((call) => callSubsegment(call, traced)) }),
  };
}

function callSubsegment(
  { id, functionName, startUs, endUs, status }: FunctionCall,
  { region }: TracedRequest,
): JsonObject {
  return {
    id,
    name: 'Lambda',
    namespace: 'aws',
    start_time: startUs / 1e6,
    end_time: endUs / 1e6,
    http: { response: { status } },
    ...flags(status),
    aws: { function_name: functionName, region, operation: 'Invoke', resource_names: [functionName] },
  };
}

function commonFields(
  { api, requestId, accountId, region, traceId, callerId, id }: TracedRequest,
  startUs: number,
): JsonObject {
  return {
    id,
    name: `${api.name}/${api.stage}`,
    trace_id: formatTraceId(traceId),
    ...(callerId === undefined ? {} : { parent_id: callerId }),
    start_time: startUs / 1e6,
    aws: {
      api_gateway: { account_id: accountId, rest_api_id: api.id, stage: api.stage, request_id: requestId },
    },
    annotations: { 'aws:api_id': api.id, 'aws:api_stage': api.stage },
    metadata: { default: { extended_request_id: requestId.slice(0, 15), request_id: requestId } },
    origin: 'AWS::ApiGateway::Stage',
    resource_arn: `arn:aws:apigateway:${region}::/restapis/${api.id}/stages/${api.stage}`,
  };
}

function requestOf({ request, url, userAgent }: TracedRequest): JsonObject {
  return {
    url,
    method: request.method,
    ...(userAgent === undefined ? {} : { user_agent: userAgent }),
    client_ip: request.sourceIp,
    x_forwarded_for: false,
  };
}

function flags(status: number): JsonObject {
  if (status === 429) return { throttle: true, error: true };
  if (status >= 500) return { fault: true };
  return status >= 400 ? { error: true } : {};
}
