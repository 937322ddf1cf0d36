import { randomUUID } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import { parseTraceHeader } from '../../model/trace-header.ts';
import type { EntityId } from '../../model/trace-id.ts';
import { invokedArn } from '../runtime/environment-variables.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { InvokeRequest, InvokeResult, OnChunk, ProducerLink } from '../spec/lambda-client.ts';
import type { Deliver } from '../spec/services.ts';
import { nowUs } from '../tracing/clock.ts';
import {
  functionSegment,
  inProgressFunctionSegment,
  isRecorded,
  serviceSegment,
  type TracedFunction,
} from '../tracing/lambda-segments.ts';
import { decideTrace, headerText, type TraceDecision, type TraceFormat } from '../tracing/sampling-decision.ts';
import type { SegmentSender } from '../tracing/segment-sender.ts';
import { type AcceptedEvent, openAsyncInvocations } from './async-invocations.ts';
import type { PreparedRun } from './environment-pool.ts';
import type { AttemptResult } from './execution-environment.ts';
import type { FunctionRegistry } from './function-registry.ts';
import { logTail } from './platform-log.ts';

export type InvokerOptions = {
  readonly registry: Pick<FunctionRegistry, 'find'>;
  readonly sender: SegmentSender;
  readonly traceFormat: TraceFormat;
  readonly region: string;
  readonly accountId: string;
  /** Delays before the retries of a failed event. */
  readonly retryDelaysMs: readonly number[];
  /** Delay after the first throttled attempt at an event. */
  readonly throttleDelayMs: number;
};

/** Runs functions for requests, and writes Lambda's segments about it. */
export type Invoker = {
  /** As `invoke` of the Lambda service. `deliver` sends the records of a finished asynchronous event. */
  readonly invoke: (nameOrArn: string, request: InvokeRequest, deliver: Deliver) => Promise<InvokeResult>;
  /** Resolves when no asynchronous event is left. */
  readonly whenIdle: () => Promise<void>;
  /** Accepts no more requests, and starts no further attempts. */
  readonly close: () => void;
};

const SYNC_MAX_BYTES = 6 * 1024 * 1024;
const EVENT_MAX_BYTES = 1024 * 1024;
/** A shorter run gets no in-progress segment: that would only cost another document. */
const IN_PROGRESS_AFTER_MS = 100;

/** One accepted request: what all its attempts have in common. */
type AcceptedInvocation = {
  readonly traced: TracedFunction;
  readonly requestId: string;
  readonly invokedArn: string;
  readonly payload: Buffer;
  readonly clientContext: string | undefined;
  readonly onChunk: OnChunk | undefined;
  readonly links: readonly ProducerLink[];
  readonly startUs: number;
};

type PreparedFunction = {
  readonly spec: FunctionSpec;
  readonly sample: () => boolean;
  readonly qualifier: string | undefined;
  readonly prepared: PreparedRun;
  readonly deliver: Deliver;
};

export function openInvoker(options: InvokerOptions): Invoker {
  const { registry, sender, traceFormat, region, accountId, retryDelaysMs, throttleDelayMs } = options;
  const events = openAsyncInvocations({ sender, traceFormat, retryDelaysMs, throttleDelayMs });
  let isClosed = false;

  async function invoke(nameOrArn: string, request: InvokeRequest, deliver: Deliver): Promise<InvokeResult> {
    if (isClosed) throw new OpenrayError('ServiceUnavailable', 'the local Lambda service is closed');
    const { pool, sample, qualifier } = registry.find(nameOrArn, request.qualifier);
    const { spec } = pool;
    if (spec.unsupportedReason !== undefined) throw new OpenrayError('SettingInvalid', spec.unsupportedReason);
    // Lambda does not build: the time for it is no part of the trace.
    const prepared = await pool.prepare();
    try {
      return await invokePrepared({ spec, sample, qualifier, prepared, deliver }, request);
    } finally {
      prepared.release();
    }
  }

  async function invokePrepared(
    { spec, sample, qualifier, prepared, deliver }: PreparedFunction,
    request: InvokeRequest,
  ): Promise<InvokeResult> {
    const startUs = nowUs();
    const invocation: AcceptedInvocation = {
      traced: {
        name: spec.name,
        arn: functionArn(spec.name, region, accountId),
        accountId,
        logGroup: spec.logging.logGroup,
      },
      requestId: randomUUID(),
      invokedArn: invokedArn(spec.name, region, accountId, qualifier),
      payload: readPayload(request),
      clientContext: request.clientContext,
      onChunk: request.onChunk,
      links: request.links ?? [],
      startUs,
    };
    const trace = decideTrace({
      mode: spec.tracing,
      traceFormat,
      incoming: request.traceHeader === undefined ? undefined : parseTraceHeader(request.traceHeader),
      sample,
      nowUs: startUs,
    });
    switch (request.invocationType) {
      case 'DryRun':
        return resultWithoutPayload(invocation, trace, 204);
      case 'RequestResponse':
        return invokeSync(prepared, invocation, trace);
      case 'Event':
        await events.accept({ ...invocation, spec, deliver, attempt: newAttempts(prepared, invocation) }, trace);
        return resultWithoutPayload(invocation, trace, 202);
    }
  }

  async function invokeSync(
    prepared: PreparedRun,
    invocation: AcceptedInvocation,
    trace: TraceDecision,
  ): Promise<InvokeResult> {
    const finish = async (status: number) => {
      if (!isRecorded(trace)) return;
      const { traced, requestId, startUs, links } = invocation;
      await sender.send(serviceSegment({ function: traced, trace, requestId, startUs, endUs: nowUs(), status, links }));
    };
    let result: AttemptResult;
    try {
      result = await attempt(prepared, invocation, trace, trace.ids?.service);
    } catch (error) {
      await finish(error instanceof OpenrayError && error.code === 'ThrottledException' ? 429 : 500);
      throw error;
    }
    await finish(200);
    return {
      ...resultWithoutPayload(invocation, trace, 200),
      payload: result.payload,
      functionError: result.isFunctionError ? 'Unhandled' : undefined,
      log: result.log,
      logTail: logTail(result.log),
    };
  }

  /** The first attempt at an event runs the code of its invocation. A retry finds and prepares the function again. */
  function newAttempts(first: PreparedRun, invocation: AcceptedInvocation): AcceptedEvent['attempt'] {
    let next: PreparedRun | undefined = first;
    return async (...ids) => {
      const prepared = next ?? (await registry.find(invocation.traced.arn).pool.prepare());
      next = undefined;
      try {
        return await attempt(prepared, invocation, ...ids);
      } finally {
        prepared.release();
      }
    };
  }

  /** One run in an environment, and the sandbox's segments about it. */
  async function attempt(
    { run }: PreparedRun,
    { traced, requestId, invokedArn: arn, payload, clientContext, onChunk }: AcceptedInvocation,
    trace: TraceDecision,
    parentId: EntityId | undefined,
  ): Promise<AttemptResult> {
    const recorded = isRecorded(trace) && parentId !== undefined ? { trace, parentId } : undefined;
    let timer: NodeJS.Timeout | undefined;
    let inProgressSent: Promise<void> | undefined;
    const running = run({
      requestId,
      invokedArn: arn,
      payload,
      clientContext,
      trace,
      onChunk,
      onStart(startUs) {
        if (recorded === undefined) return;
        timer = setTimeout(() => {
          inProgressSent = sender.send(inProgressFunctionSegment({ function: traced, startUs, ...recorded }));
        }, IN_PROGRESS_AFTER_MS);
      },
    });
    const result = await running.finally(() => clearTimeout(timer));
    // The complete segment comes after the one in progress.
    await inProgressSent;
    if (recorded) {
      await sender.send(functionSegment({ function: traced, traceFormat, ...recorded, ...result.timings }));
    }
    return result;
  }

  return {
    invoke,
    whenIdle: events.whenIdle,
    close() {
      isClosed = true;
      events.close();
    },
  };
}

function resultWithoutPayload(
  { requestId }: AcceptedInvocation,
  trace: TraceDecision,
  statusCode: InvokeResult['statusCode'],
): InvokeResult {
  return {
    requestId,
    statusCode,
    payload: Buffer.alloc(0),
    functionError: undefined,
    log: '',
    logTail: '',
    traceHeader: headerText(trace),
    traceId: trace.traceId,
    segmentId: trace.ids?.function,
    isSampled: trace.isSampled,
    executedVersion: '$LATEST',
  };
}

/** Checks size and JSON, as Lambda does before anything runs. */
function readPayload({ payload, invocationType }: InvokeRequest): Buffer {
  const maxBytes = invocationType === 'Event' ? EVENT_MAX_BYTES : SYNC_MAX_BYTES;
  if (payload.length > maxBytes) {
    const sentence = `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`;
    throw new OpenrayError('RequestTooLargeException', sentence);
  }
  if (payload.length === 0) return Buffer.from('{}');
  try {
    JSON.parse(payload.toString());
  } catch (error) {
    const reason = (error as Error).message;
    throw new OpenrayError('InvalidRequestException', `Could not parse request body into json: ${reason}`);
  }
  return payload;
}
