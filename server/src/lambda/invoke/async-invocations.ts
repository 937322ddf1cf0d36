import { OpenrayError } from '../../errors.ts';
import { type JsonObject, type JsonValue, objectOf } from '../../model/json.ts';
import type { EntityId } from '../../model/trace-id.ts';
import type { FunctionSpec } from '../spec/function-spec.ts';
import type { Deliver } from '../spec/services.ts';
import { nowUs } from '../tracing/clock.ts';
import {
  type AttemptRecord,
  inProgressServiceSegment,
  isRecorded,
  type ServiceCall,
  serviceSegment,
  type TracedFunction,
} from '../tracing/lambda-segments.ts';
import {
  decideRetry,
  headerText,
  newEntityId,
  type TraceDecision,
  type TraceFormat,
} from '../tracing/sampling-decision.ts';
import type { SegmentSender } from '../tracing/segment-sender.ts';
import type { AttemptResult } from './execution-environment.ts';

/** An accepted event: what all its attempts need. */
export type AcceptedEvent = {
  readonly spec: FunctionSpec;
  readonly traced: TracedFunction;
  readonly requestId: string;
  readonly payload: Buffer;
  readonly startUs: number;
  /** Sends the record of the finished event to its destination and its dead-letter queue. */
  readonly deliver: Deliver;
  /** Runs the function once. Throws ThrottledException, or another failure when it cannot run. */
  readonly attempt: (trace: TraceDecision, parentId: EntityId) => Promise<AttemptResult>;
};

export type AsyncInvocationsOptions = {
  readonly sender: SegmentSender;
  readonly traceFormat: TraceFormat;
  /** Delays before the retries of a failed event; the last one repeats. On AWS these are minutes. */
  readonly retryDelaysMs: readonly number[];
  /** Delay after the first throttled attempt; doubles each time, up to five minutes. */
  readonly throttleDelayMs: number;
};

/** Lambda's queue of asynchronous events: attempts, delays between them, destinations. */
export type AsyncInvocations = {
  /** Resolves when the first attempt at the event has begun. Throws ThrottledException over EVENTS_MAX. */
  readonly accept: (event: AcceptedEvent, trace: TraceDecision) => Promise<void>;
  /** Resolves when all events are finished. */
  readonly whenIdle: () => Promise<void>;
  /** Starts no further attempts. */
  readonly close: () => void;
};

/** Most unfinished events. */
const EVENTS_MAX = 1000;
const THROTTLE_DELAY_MAX_MS = 5 * 60 * 1000;

type EventOutcome = {
  readonly condition: 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
  readonly attempts: number;
  readonly result: AttemptResult | undefined;
};

export function openAsyncInvocations(options: AsyncInvocationsOptions): AsyncInvocations {
  const { sender, traceFormat, retryDelaysMs, throttleDelayMs } = options;
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  /** Runs all attempts at one event, then writes the service's segment and delivers the outcome. */
  async function run(event: AcceptedEvent, first: TraceDecision, acceptedUs: number): Promise<void> {
    const attempts: AttemptRecord[] = [];
    const outcome = await attemptAll(event, first, acceptedUs, attempts);
    if (isRecorded(first)) {
      const dwell = { startUs: acceptedUs, endUs: attempts[0]?.startUs ?? acceptedUs };
      const call: ServiceCall = {
        ...serviceCallOf(event, first),
        endUs: acceptedUs,
        status: 202,
        queued: { dwell, attempts },
      };
      await sender.send(serviceSegment(call, { dwell: newEntityId() }));
    }
    if (outcome !== undefined) deliverOutcome(event, outcome, headerText(first));
  }

  /** Undefined when the service closed before the last attempt. The first attempt has the ids of `first`. */
  async function attemptAll(
    event: AcceptedEvent,
    first: TraceDecision,
    acceptedUs: number,
    attempts: AttemptRecord[],
  ): Promise<EventOutcome | undefined> {
    const { maxRetryAttempts, maxEventAgeMs } = event.spec;
    let trace = first;
    let failures = 0;
    let throttleMs = throttleDelayMs;
    while (!closing.signal.aborted) {
      const id = newEntityId();
      const startUs = nowUs();
      if (startUs - acceptedUs > maxEventAgeMs * 1000) {
        return { condition: 'EventAgeExceeded', attempts: attempts.length, result: undefined };
      }
      const resultOrError = await event.attempt(trace, id).catch((error: unknown) => error);
      const isThrottled = resultOrError instanceof OpenrayError && resultOrError.code === 'ThrottledException';
      const result = resultOrError instanceof Error ? undefined : (resultOrError as AttemptResult);
      attempts.push({ id, startUs, endUs: nowUs(), status: isThrottled ? 429 : result === undefined ? 500 : 200 });
      if (result !== undefined && !result.isFunctionError) {
        return { condition: 'Success', attempts: attempts.length, result };
      }
      if (isThrottled) {
        // A throttled attempt did not run, so it is not a failed one.
        await wait(throttleMs);
        throttleMs = Math.min(throttleMs * 2, THROTTLE_DELAY_MAX_MS);
      } else {
        failures++;
        if (failures > maxRetryAttempts) return { condition: 'RetriesExhausted', attempts: attempts.length, result };
        await wait(retryDelaysMs[failures - 1] ?? retryDelaysMs.at(-1) ?? 0);
      }
      trace = decideRetry(first, traceFormat);
    }
    return undefined;
  }

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        closing.signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      closing.signal.addEventListener('abort', finish, { once: true });
    });
  }

  return {
    async accept(event, trace) {
      if (running.size >= EVENTS_MAX) throw new OpenrayError('ThrottledException', 'too many events are waiting');
      if (isRecorded(trace)) await sender.send(inProgressServiceSegment(serviceCallOf(event, trace)));
      const promise: Promise<void> = run(event, trace, nowUs()).finally(() => running.delete(promise));
      running.add(promise);
    },
    async whenIdle() {
      while (running.size > 0) await Promise.all(running);
    },
    close: () => closing.abort(),
  };
}

function serviceCallOf({ traced, requestId, startUs }: AcceptedEvent, trace: ServiceCall['trace']) {
  return { function: traced, trace, requestId, startUs };
}

/** Sends a record to the destination for success or failure, and a failed event to the dead-letter queue too. */
function deliverOutcome(event: AcceptedEvent, outcome: EventOutcome, traceHeader: string): void {
  const { spec, payload, deliver } = event;
  const isSuccess = outcome.condition === 'Success';
  const destination = isSuccess ? spec.destinations.onSuccess : spec.destinations.onFailure;
  if (destination !== undefined) {
    const record = destinationRecord(event, outcome);
    deliver(destination, record, { body: JSON.stringify(record), traceHeader });
  }
  if (isSuccess || spec.deadLetterArn === undefined) return;
  const { errorMessage } = objectOf(parse(outcome.result?.payload));
  const attributes = {
    RequestID: { DataType: 'String', StringValue: event.requestId },
    ErrorCode: { DataType: 'Number', StringValue: '200' },
    ErrorMessage: { DataType: 'String', StringValue: String(errorMessage ?? outcome.condition).slice(0, 1024) },
  };
  const body = payload.toString();
  deliver(spec.deadLetterArn, objectOf(parse(payload)), { body, attributes, traceHeader });
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function destinationRecord({ traced, requestId, payload }: AcceptedEvent, outcome: EventOutcome): JsonObject {
  const { condition, attempts, result } = outcome;
  return {
    version: '1.0',
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId,
      functionArn: `${traced.arn}:$LATEST`,
      condition,
      approximateInvokeCount: attempts,
    },
    requestPayload: parse(payload),
    ...(result === undefined
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: '$LATEST',
            ...(result.isFunctionError ? { functionError: 'Unhandled' } : {}),
          },
          responsePayload: parse(result.payload),
        }),
  };
}

/** Bytes that are not JSON become text. */
function parse(bytes: Buffer | undefined): JsonValue {
  try {
    return JSON.parse(bytes?.toString() ?? 'null');
  } catch {
    return bytes?.toString() ?? null;
  }
}
