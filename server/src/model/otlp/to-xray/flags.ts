import type { JsonObject } from '../../json.ts';
import { type Span, STATUS } from '../../otlp-messages.ts';
import { type Attributes, firstInteger, firstText } from './attributes.ts';

const ERROR: JsonObject = { error: true };
const FAULT: JsonObject = { fault: true };
const THROTTLE: JsonObject = { error: true, throttle: true };
const NONE: JsonObject = {};

/** gRPC's status codes by number, with X-Ray's flags for them. */
const RPC_OUTCOMES: readonly (readonly [string, JsonObject])[] = [
  ['OK', NONE],
  ['CANCELLED', ERROR],
  ['UNKNOWN', FAULT],
  ['INVALID_ARGUMENT', ERROR],
  ['DEADLINE_EXCEEDED', FAULT],
  ['NOT_FOUND', ERROR],
  ['ALREADY_EXISTS', ERROR],
  ['PERMISSION_DENIED', ERROR],
  ['RESOURCE_EXHAUSTED', THROTTLE],
  ['FAILED_PRECONDITION', ERROR],
  ['ABORTED', ERROR],
  ['OUT_OF_RANGE', ERROR],
  ['UNIMPLEMENTED', FAULT],
  ['INTERNAL', FAULT],
  ['UNAVAILABLE', FAULT],
  ['DATA_LOSS', FAULT],
  ['UNAUTHENTICATED', ERROR],
];

/** Error codes that the AWS SDKs treat as throttling. */
const THROTTLING_CODES = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

/** `fault`, `error` and `throttle` of a span, from its HTTP status, else its RPC status, else the span's own status. */
export function flagsOf(
  span: Span,
  attributes: Attributes,
  namespace: 'aws' | 'remote' | undefined,
  exceptions: readonly JsonObject[],
): JsonObject {
  const status = firstInteger(attributes, 'http.response.status_code', 'http.status_code') ?? 0;
  if (status === 429) return THROTTLE;
  if (status >= 400 && status < 500) return ERROR;
  if (status >= 500 && status < 600) return FAULT;
  const rpc = attributes.families.rpc ? rpcOutcome(attributes) : NONE;
  if (rpc !== NONE) return rpc;
  if (span.status?.code !== STATUS.error) return NONE;
  if (namespace !== 'aws') return FAULT;
  const types = [firstText(attributes, 'error.type'), ...exceptions.map(({ type }) => type)];
  return types.some((type) => THROTTLING_CODES.has(String(type))) ? THROTTLE : FAULT;
}

function rpcOutcome(attributes: Attributes): JsonObject {
  const code = firstInteger(attributes, 'rpc.status_code', 'rpc.response.status_code', 'rpc.grpc.status_code');
  if (code !== undefined) return RPC_OUTCOMES[code]?.[1] ?? NONE;
  const name = firstText(attributes, 'rpc.status_code', 'rpc.response.status_code');
  return RPC_OUTCOMES.find(([known]) => known === name)?.[1] ?? NONE;
}
