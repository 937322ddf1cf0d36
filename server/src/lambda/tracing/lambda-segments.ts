import type { JsonObject, JsonValue } from '../../model/json.ts';
import { type EntityId, formatTraceId } from '../../model/trace-id.ts';
import type { ProducerLink } from '../spec/lambda-client.ts';
import type { SegmentIds, TraceDecision, TraceFormat } from './sampling-decision.ts';

/**
 * A function in the two documents that Lambda writes about an invocation: one for the service (`AWS::Lambda`) and one
 * for the sandbox (`AWS::Lambda::Function`). The function sends its own documents beside them.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
 */
export type TracedFunction = {
  readonly name: string;
  /** Without a qualifier. */
  readonly arn: string;
  readonly accountId: string;
  readonly logGroup: string;
};

export type Timing = { readonly startUs: number; readonly endUs: number };

/** A decision to record the trace. */
export type RecordedTrace = TraceDecision & { readonly ids: SegmentIds };

export function isRecorded(trace: TraceDecision): trace is RecordedTrace {
  return trace.ids !== undefined;
}

export type ServiceCall = Timing & {
  readonly function: TracedFunction;
  readonly trace: RecordedTrace;
  readonly requestId: string;
  /** 200 for a synchronous call that ran, even if the function failed; 202 asynchronous; 429 throttled; 5xx. */
  readonly status: number;
  readonly links?: readonly ProducerLink[];
  /** Of an asynchronous invocation: its time in the queue, and each attempt. They end after the call itself. */
  readonly queued?: { readonly dwell: Timing; readonly attempts: readonly AttemptRecord[] };
};

export type AttemptRecord = Timing & { readonly id: EntityId; readonly status: number };

/** Complete segment of the service. Whole milliseconds: the start is rounded down, the end is rounded up. */
export function serviceSegment(
  call: ServiceCall,
  ids: { readonly dwell: EntityId } | undefined = undefined,
): JsonObject {
  return {
    ...serviceHead(call),
    end_time: Math.ceil(call.endUs / 1000) / 1000,
    http: { response: { status: call.status } },
    ...(call.status === 429 ? { throttle: true, error: true } : {}),
    ...(call.status >= 500 ? { fault: true } : {}),
    ...(call.queued === undefined || ids === undefined
      ? {}
      : { subsegments: queueSubsegments(call.queued, ids.dwell) }),
  };
}

/** Segment of the service while attempts are still to come. */
export function inProgressServiceSegment(call: Omit<ServiceCall, 'endUs' | 'status' | 'queued'>): JsonObject {
  return { ...serviceHead(call), in_progress: true };
}

function serviceHead(call: Omit<ServiceCall, 'endUs' | 'status' | 'queued'>): JsonObject {
  const { trace } = call;
  return {
    id: trace.ids.service,
    name: call.function.name,
    start_time: Math.floor(call.startUs / 1000) / 1000,
    trace_id: formatTraceId(trace.traceId),
    ...(trace.callerId === undefined ? {} : { parent_id: trace.callerId }),
    aws: { request_id: call.requestId },
    origin: 'AWS::Lambda',
    resource_arn: call.function.arn,
    ...(call.links === undefined || call.links.length === 0 ? {} : { links: call.links.map(linkDocument) }),
  };
}

/** @see https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html */
function linkDocument({ traceId, id }: ProducerLink): JsonObject {
  return {
    trace_id: formatTraceId(traceId),
    ...(id === undefined ? {} : { id }),
    attributes: { 'aws.xray.reserved.reference_type': 'parent' },
  };
}

function queueSubsegments(queued: NonNullable<ServiceCall['queued']>, dwellId: EntityId): readonly JsonValue[] {
  return [
    { id: dwellId, name: 'Dwell Time', ...times(queued.dwell) },
    ...queued.attempts.map((attempt, index) => ({
      id: attempt.id,
      name: `Attempt #${index + 1}`,
      ...times(attempt),
      http: { response: { status: attempt.status } },
    })),
  ];
}

/** One attempt, as the sandbox measured it. */
export type SandboxRun = Timing & {
  readonly function: TracedFunction;
  readonly trace: RecordedTrace;
  readonly traceFormat: TraceFormat;
  /** The service's segment, or the attempt below it. */
  readonly parentId: EntityId;
  /** Only on the first invocation of an environment. It ends before the segment starts, except a suppressed init. */
  readonly initialization: (Timing & { readonly isFault: boolean }) | undefined;
  /** From the delivery of the event to the end of the response; undefined when the event was not delivered. */
  readonly invocation: Timing | undefined;
  /** When the first byte of the response came. */
  readonly responseStartUs: number | undefined;
  /** False when the sandbox was killed or exited: no time follows the invocation then. */
  readonly hasOverhead: boolean;
  readonly isFault: boolean;
  readonly cause: JsonObject | undefined;
};

/** Segment of the sandbox when the event is delivered. */
export function inProgressFunctionSegment(
  run: Pick<SandboxRun, 'function' | 'trace' | 'parentId' | 'startUs'>,
): JsonObject {
  return { ...functionHead(run), in_progress: true };
}

/** Complete segment of the sandbox, in either format. */
export function functionSegment(run: SandboxRun): JsonObject {
  const aws = { function_arn: run.function.arn };
  const { ids } = run.trace;
  const { initialization, invocation } = run;
  const hasPhaseSubsegments = run.traceFormat === 1;
  const subsegments: JsonValue[] = [];
  if (initialization) {
    subsegments.push({
      id: ids.initialization,
      name: hasPhaseSubsegments ? 'Initialization' : 'Init',
      ...times(initialization),
      ...(initialization.isFault ? { fault: true } : {}),
      aws,
    });
  }
  if (hasPhaseSubsegments && invocation) {
    const fault = run.isFault ? { fault: true } : {};
    subsegments.push({ id: ids.invocation, name: 'Invocation', ...times(invocation), ...fault, aws });
    if (run.hasOverhead) {
      const overhead = { startUs: invocation.endUs, endUs: run.endUs };
      subsegments.push({ id: ids.overhead, name: 'Overhead', ...times(overhead), aws });
    }
  }
  return {
    ...functionHead(run),
    end_time: seconds(run.endUs),
    ...(run.isFault ? { fault: true } : {}),
    ...(run.cause === undefined ? {} : { cause: run.cause }),
    ...(hasPhaseSubsegments || invocation === undefined ? {} : { annotations: timingAnnotations(run, invocation) }),
    ...(subsegments.length === 0 ? {} : { subsegments }),
  };
}

function functionHead(run: Pick<SandboxRun, 'function' | 'trace' | 'parentId' | 'startUs'>): JsonObject {
  return {
    id: run.trace.ids.function,
    name: run.function.name,
    start_time: seconds(run.startUs),
    trace_id: formatTraceId(run.trace.traceId),
    parent_id: run.parentId,
    aws: {
      account_id: run.function.accountId,
      function_arn: run.function.arn,
      cloudwatch_logs: [{ log_group: run.function.logGroup }],
      resource_names: [run.function.name],
    },
    origin: 'AWS::Lambda::Function',
  };
}

/** In milliseconds. AWS's documents spell the keys with a colon. */
function timingAnnotations(run: SandboxRun, invocation: Timing): JsonObject {
  const responseStartUs = run.responseStartUs ?? invocation.endUs;
  return {
    'aws:responseLatency': (responseStartUs - invocation.startUs) / 1000,
    'aws:responseDuration': (invocation.endUs - responseStartUs) / 1000,
    ...(run.hasOverhead ? { 'aws:runtimeOverhead': (run.endUs - invocation.endUs) / 1000 } : {}),
  };
}

function times({ startUs, endUs }: Timing): JsonObject {
  return { start_time: seconds(startUs), end_time: seconds(endUs) };
}

function seconds(us: number): number {
  return us / 1e6;
}
