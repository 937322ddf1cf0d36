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

/** A failure, and the side that reported it. */
export type InvocationFailure =
  | { readonly reportedBy: 'runtime'; readonly failure: HandlerFailure }
  | { readonly reportedBy: 'platform'; readonly failure: PlatformFailure };

/** The outcome of one attempt, from which log lines, records and segments are made. */
export type InvocationOutcome = {
  readonly startUs: number;
  readonly endUs: number;
  readonly init: InitPhaseOutcome | undefined;
  readonly isSuppressedInit: boolean;
  readonly invokePhase: InvokePhaseOutcome | undefined;
  /** Set when the sandbox exited or was killed. */
  readonly sandboxFailure: PlatformFailure | undefined;
  readonly failure: InvocationFailure | undefined;
  readonly payload: Buffer;
};

/** The times and failures of the function's segment, without names and ids. */
export type SegmentTimings = Pick<
  SandboxRun,
  'startUs' | 'endUs' | 'initialization' | 'invocation' | 'responseStartUs' | 'hasOverhead' | 'isFault' | 'cause'
>;

/** A posted response is a success, even when the process fails afterwards. */
export function failureOf(
  { completion }: InvokePhaseOutcome,
  sandboxFailure: PlatformFailure | undefined,
): InvocationFailure | undefined {
  switch (completion?.kind) {
    case 'response':
      return undefined;
    case 'error':
      return { reportedBy: 'runtime', failure: completion.failure };
    case 'tooLarge':
      return { reportedBy: 'platform', failure: tooLargeFailure(completion.bytes, completion.maxBytes) };
    case undefined:
      return sandboxFailure === undefined ? undefined : { reportedBy: 'platform', failure: sandboxFailure };
  }
}

export function errorPayload(failure: InvocationFailure, requestId: string): Buffer {
  return failure.reportedBy === 'runtime' ? failure.failure.body : failurePayload(failure.failure, requestId);
}

/** Phases of the response, for the Telemetry API. */
export function responsePhases({ invokePhase }: InvocationOutcome): readonly ResponsePhase[] {
  if (invokePhase?.completion === undefined) return [];
  const { startUs, completion, runtimeReadyUs } = invokePhase;
  const phases = [
    { name: 'responseLatency', startUs, endUs: completion.startUs },
    { name: 'responseDuration', startUs: completion.startUs, endUs: completion.endUs },
  ];
  return runtimeReadyUs === undefined
    ? phases
    : [...phases, { name: 'runtimeOverhead', startUs: completion.endUs, endUs: runtimeReadyUs }];
}

/** The duration in the REPORT line. That of a timeout is the configured timeout, without the time to detect it. */
export function reportedDurationUs(
  { startUs, endUs, isSuppressedInit, invokePhase, sandboxFailure }: InvocationOutcome,
  timeoutMs: number,
): number {
  if (sandboxFailure?.kind === 'timeout') return timeoutMs * 1000;
  return endUs - (isSuppressedInit ? startUs : (invokePhase?.startUs ?? startUs));
}

export function reportedStatus({
  init,
  sandboxFailure,
  failure,
}: InvocationOutcome): Pick<Report, 'status' | 'errorType'> {
  if (sandboxFailure !== undefined) {
    return { status: sandboxFailure.kind === 'timeout' ? 'timeout' : 'error', errorType: sandboxFailure.errorType };
  }
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

export function segmentTimings(outcome: InvocationOutcome, requestId: string, timeoutMs: number): SegmentTimings {
  const { startUs, init, isSuppressedInit, invokePhase, sandboxFailure, failure } = outcome;
  const completion = invokePhase?.completion;
  const isTimeout = sandboxFailure?.kind === 'timeout';
  // The segment of a timeout ends with the configured timeout, although the kill takes a little longer.
  const endUs = isTimeout ? Math.min(outcome.endUs, startUs + timeoutMs * 1000) : outcome.endUs;
  const invocation: Timing | undefined =
    invokePhase === undefined
      ? undefined
      : { startUs: invokePhase.startUs, endUs: Math.max(invokePhase.startUs, completion?.endUs ?? endUs) };
  return {
    startUs,
    endUs: Math.max(endUs, invocation?.endUs ?? endUs),
    initialization:
      init === undefined
        ? undefined
        : {
            startUs: init.startUs,
            endUs: isSuppressedInit ? Math.min(init.endUs, endUs) : init.endUs,
            isFault: init.kind !== 'ready',
          },
    invocation,
    responseStartUs: completion?.startUs,
    hasOverhead: sandboxFailure === undefined,
    isFault: failure !== undefined,
    cause: failure === undefined ? undefined : causeOf(failure, requestId),
  };
}

function causeOf(failure: InvocationFailure, requestId: string): JsonObject | undefined {
  if (failure.reportedBy === 'runtime') return failure.failure.cause;
  return syntheticCause(failure.failure.errorType, failureMessage(failure.failure, requestId));
}
