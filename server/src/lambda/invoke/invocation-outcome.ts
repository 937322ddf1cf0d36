import type { JsonObject } from '../../model/json.ts';
import { syntheticCause } from '../runtime/error-report.ts';
import {
  failureMessage,
  failurePayload,
  type HandlerFailure,
  type PlatformFailure,
  tooLargeFailure,
} from '../runtime/failures.ts';
import type { InitPhaseOutcome, InvokePhaseOutcome } from '../runtime/sandbox.ts';
import type { SandboxRun, Timing } from '../tracing/lambda-segments.ts';
import type { Report, ResponsePhase } from './platform-log.ts';

/** What failed, and who said so. */
export type InvocationFailure =
  | { readonly reportedBy: 'runtime'; readonly failure: HandlerFailure }
  | { readonly reportedBy: 'platform'; readonly failure: PlatformFailure };

/** How a job went, before it is written down. */
export type InvocationOutcome = {
  readonly startUs: number;
  readonly endUs: number;
  readonly init: InitPhaseOutcome | undefined;
  readonly isSuppressedInit: boolean;
  readonly invokePhase: InvokePhaseOutcome | undefined;
  /** The sandbox ended by itself or by force. */
  readonly sandboxFailure: PlatformFailure | undefined;
  readonly failure: InvocationFailure | undefined;
  readonly payload: Buffer;
};

/** What the sandbox's segment needs beside names and ids. */
export type SegmentTimings = Pick<
  SandboxRun,
  'startUs' | 'endUs' | 'initialization' | 'invocation' | 'responseStartUs' | 'hasOverhead' | 'isFault' | 'cause'
>;

/** An answer that was posted counts, whatever became of the process afterwards. */
export function failureOf(
  { completion }: InvokePhaseOutcome,
  end: PlatformFailure | undefined,
): InvocationFailure | undefined {
  switch (completion?.kind) {
    case 'response':
      return undefined;
    case 'error':
      return { reportedBy: 'runtime', failure: completion.failure };
    case 'tooLarge':
      return { reportedBy: 'platform', failure: tooLargeFailure(completion.bytes, completion.maxBytes) };
    case undefined:
      return end === undefined ? undefined : { reportedBy: 'platform', failure: end };
  }
}

export function errorPayload(failure: InvocationFailure, requestId: string): Buffer {
  return failure.reportedBy === 'runtime' ? failure.failure.body : failurePayload(failure.failure, requestId);
}

/** What Telemetry tells of the time an answer took. */
export function responsePhases({ invokePhase: outcome }: InvocationOutcome): readonly ResponsePhase[] {
  if (outcome?.completion === undefined) return [];
  const { startUs, completion, runtimeReadyUs } = outcome;
  const spans = [
    { name: 'responseLatency', startUs, endUs: completion.startUs },
    { name: 'responseDuration', startUs: completion.startUs, endUs: completion.endUs },
  ];
  return runtimeReadyUs === undefined
    ? spans
    : [...spans, { name: 'runtimeOverhead', startUs: completion.endUs, endUs: runtimeReadyUs }];
}

/** A timeout lasted as long as the function may, not as long as it took to notice. */
export function reportedDurationUs(
  { startUs, endUs, isSuppressedInit: isInitInside, invokePhase: outcome, sandboxFailure: end }: InvocationOutcome,
  timeoutMs: number,
): number {
  if (end?.kind === 'timeout') return timeoutMs * 1000;
  return endUs - (isInitInside ? startUs : (outcome?.startUs ?? startUs));
}

export function reportedStatus({
  init,
  sandboxFailure: end,
  failure,
}: InvocationOutcome): Pick<Report, 'status' | 'errorType'> {
  if (end?.kind === 'timeout') return { status: 'timeout', errorType: end.errorType };
  if (end !== undefined) return { status: 'error', errorType: end.errorType };
  switch (failure?.reportedBy) {
    case undefined:
      return { status: 'success', errorType: undefined };
    case 'platform':
      return { status: 'error', errorType: failure.failure.errorType };
    case 'runtime': {
      const status = init?.kind === 'failed' ? 'error' : 'failure';
      return { status, errorType: failure.failure.errorType ?? 'Function.Unknown' };
    }
  }
}

export function segmentTimings(course: InvocationOutcome, requestId: string, timeoutMs: number): SegmentTimings {
  const { startUs, init, isSuppressedInit: isInitInside, invokePhase: outcome, sandboxFailure: end, failure } = course;
  const completion = outcome?.completion;
  const isKilled = end !== undefined;
  // After a timeout the segment ends with the function's time, also when the killing took a little longer.
  const endUs = end?.kind === 'timeout' ? Math.min(course.endUs, startUs + timeoutMs * 1000) : course.endUs;
  const invocation: Timing | undefined =
    outcome === undefined
      ? undefined
      : { startUs: outcome.startUs, endUs: Math.max(outcome.startUs, completion?.endUs ?? endUs) };
  return {
    startUs,
    endUs: Math.max(endUs, invocation?.endUs ?? endUs),
    initialization:
      init === undefined
        ? undefined
        : {
            startUs: init.startUs,
            endUs: isInitInside ? Math.min(init.endUs, endUs) : init.endUs,
            isFault: init.kind !== 'ready',
          },
    invocation,
    responseStartUs: completion?.startUs,
    hasOverhead: !isKilled,
    isFault: failure !== undefined,
    cause: failure === undefined ? undefined : causeOf(failure, requestId),
  };
}

function causeOf(failure: InvocationFailure, requestId: string): JsonObject | undefined {
  if (failure.reportedBy === 'runtime') return failure.failure.cause;
  return syntheticCause(failure.failure.errorType, failureMessage(failure.failure, requestId));
}
