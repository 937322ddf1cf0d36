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

/** An event that was accepted. */
export type AcceptedEvent = {
  readonly spec: FunctionSpec;
  readonly traced: TracedFunction;
  readonly requestId: string;
  readonly payload: Buffer;
  readonly startUs: number;
  /** Sends the record of what became of the event. */
  readonly deliver: Deliver;
  /** One run of the function. Throws ThrottledException, or what else keeps it from being run. */
  readonly attempt: (trace: TraceDecision, parentId: EntityId) => Promise<AttemptResult>;
};

export type AsyncInvocationsOptions = {
  readonly sender: SegmentSender;
  readonly traceFormat: TraceFormat;
  /** Waits before the attempts after a failed one; on AWS these are minutes. */
  readonly retryDelaysMs: readonly number[];
  /** First wait after a throttled attempt; doubled up to five minutes. */
  readonly throttleDelayMs: number;
};

/** Lambda's queue of events: attempts, waits between them, and where an event goes in the end. */
export type AsyncInvocations = {
  /** Resolves when the event is accepted and its first attempt has begun. Throws ThrottledException when too many wait. */
  readonly accept: (event: AcceptedEvent, trace: TraceDecision) => Promise<void>;
  readonly whenIdle: () => Promise<void>;
  /** No further attempts. */
  readonly close: () => void;
};

const EVENTS_MAX = 1000;
const THROTTLE_DELAY_MAX_MS = 5 * 60 * 1000;

type EventOutcome = {
  readonly condition: 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
  readonly attempts: number;
  readonly result: AttemptResult | undefined;
};

export function openAsyncInvocations(options: AsyncInvocationsOptions): AsyncInvocations {
  const { sender, traceFormat: shape, retryDelaysMs, throttleDelayMs } = options;
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  /** All attempts at one event. The first has the ids that were decided. */
  async function run(event: AcceptedEvent, first: TraceDecision, acceptedUs: number): Promise<void> {
    const attempts: AttemptRecord[] = [];
    const ending = await attemptAll(event, first, acceptedUs, attempts);
    if (isRecorded(first)) {
      const dwell = { startUs: acceptedUs, endUs: attempts[0]?.startUs ?? acceptedUs };
      const whole: ServiceCall = {
        ...serviceCallOf(event, first),
        endUs: acceptedUs,
        status: 202,
        queued: { dwell, attempts },
      };
      await sender.send(serviceSegment(whole, { dwell: newEntityId() }));
    }
    if (ending !== undefined) deliverOutcome(event, ending, headerText(first));
  }

  /** Undefined when it was closed in between. */
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
      const outcome = await event.attempt(trace, id).catch((error: unknown) => error);
      const isThrottled = outcome instanceof OpenrayError && outcome.code === 'ThrottledException';
      const result = outcome instanceof Error ? undefined : (outcome as AttemptResult);
      attempts.push({ id, startUs, endUs: nowUs(), status: isThrottled ? 429 : result === undefined ? 500 : 200 });
      if (result !== undefined && !result.isFunctionError) {
        return { condition: 'Success', attempts: attempts.length, result };
      }
      if (isThrottled) {
        // What was not run is not counted as an attempt that failed.
        await wait(throttleMs);
        throttleMs = Math.min(throttleMs * 2, THROTTLE_DELAY_MAX_MS);
      } else {
        failures++;
        if (failures > maxRetryAttempts) return { condition: 'RetriesExhausted', attempts: attempts.length, result };
        await wait(retryDelaysMs[failures - 1] ?? retryDelaysMs.at(-1) ?? 0);
      }
      trace = decideRetry(first, shape);
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
      if (running.size >= EVENTS_MAX)
        throw new OpenrayError('ThrottledException', 'too many events wait to be handled');
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

/** To the destination of success or failure; a failed event also to the dead-letter queue. */
function deliverOutcome(event: AcceptedEvent, ending: EventOutcome, traceHeader: string): void {
  const { spec, payload, deliver } = event;
  const isSuccess = ending.condition === 'Success';
  const destination = isSuccess ? spec.destinations.onSuccess : spec.destinations.onFailure;
  if (destination !== undefined) {
    const record = destinationRecord(event, ending);
    deliver(destination, record, { body: JSON.stringify(record), traceHeader });
  }
  if (isSuccess || spec.deadLetterArn === undefined) return;
  const { errorMessage } = objectOf(parse(ending.result?.payload));
  const attributes = {
    RequestID: { DataType: 'String', StringValue: event.requestId },
    ErrorCode: { DataType: 'Number', StringValue: '200' },
    ErrorMessage: { DataType: 'String', StringValue: String(errorMessage ?? ending.condition).slice(0, 1024) },
  };
  const body = payload.toString();
  deliver(spec.deadLetterArn, objectOf(parse(payload)), { body, attributes, traceHeader });
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
function destinationRecord({ traced, requestId, payload }: AcceptedEvent, ending: EventOutcome): JsonObject {
  const { condition, attempts, result } = ending;
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

function parse(bytes: Buffer | undefined): JsonValue {
  try {
    return JSON.parse(bytes?.toString() ?? 'null');
  } catch {
    return bytes?.toString() ?? null;
  }
}
