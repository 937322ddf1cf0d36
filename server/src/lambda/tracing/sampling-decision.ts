import { randomBytes } from 'node:crypto';
import { formatTraceHeader, type SampledFlag, type TraceHeader } from '../../model/trace-header.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import type { TracingMode } from '../spec/function-spec.ts';

/** How `Active` samples a request without a decision of its caller: all, one a second and 5 % (as AWS), or none. */
export type Sampling = 'all' | 'aws' | 'off';

/** Of the function's segment. 1: subsegments `Initialization`, `Invocation`, `Overhead`. 2: `Init` and annotations. */
export type TraceFormat = 1 | 2;

/** Ids of the documents that the service and the sandbox write for one invocation. */
export type SegmentIds = {
  /** Origin `AWS::Lambda`. */
  readonly service: EntityId;
  /** Origin `AWS::Lambda::Function`. */
  readonly function: EntityId;
  readonly initialization: EntityId;
  readonly invocation: EntityId;
  readonly overhead: EntityId;
};

/** How one invocation is traced; decided before any code of the function runs. */
export type TraceDecision = {
  readonly traceId: TraceId;
  /** The caller's entity, when it sent one. */
  readonly callerId: EntityId | undefined;
  readonly isSampled: boolean;
  /** Undefined when the service writes nothing: not sampled, or `PassThrough`. */
  readonly ids: SegmentIds | undefined;
  /** Header for the function. It always has all three fields, since SDKs warn about a missing one. */
  readonly header: TraceHeader;
};

export type DecisionInput = {
  readonly mode: TracingMode;
  readonly traceFormat: TraceFormat;
  readonly incoming: TraceHeader | undefined;
  /** Called only when the caller made no decision and the mode is `Active`. */
  readonly sample: () => boolean;
  readonly nowUs: number;
};

export function decideTrace({ mode, traceFormat, incoming, sample, nowUs }: DecisionInput): TraceDecision {
  const traceId = incoming?.root ?? newTraceId(nowUs);
  // A parent or a decision without a root belongs to no trace.
  const callerId = incoming?.root === undefined ? undefined : incoming.parent;
  const callerDecision = incoming?.root === undefined ? undefined : incoming.sampled;
  const extras = incoming?.extras ?? [];
  const isSampled = callerDecision === '1' || (callerDecision !== '0' && mode === 'Active' && sample());
  const sampled: SampledFlag = isSampled ? '1' : '0';

  if (mode === 'PassThrough') {
    const header = { root: traceId, parent: callerId ?? newEntityId(), sampled, extras };
    return { traceId, callerId, isSampled, ids: undefined, header };
  }
  const ids: SegmentIds = {
    service: newEntityId(),
    function: newEntityId(),
    initialization: newEntityId(),
    invocation: newEntityId(),
    overhead: newEntityId(),
  };
  const parent = traceFormat === 1 ? ids.invocation : ids.function;
  const header = { root: traceId, parent, sampled, extras };
  return { traceId, callerId, isSampled, ids: isSampled ? ids : undefined, header };
}

/** The header as text, for `Lambda-Runtime-Trace-Id`. */
export function headerText(decision: TraceDecision): string {
  return formatTraceHeader(decision.header);
}

/** The decision for another attempt at the same event: same trace and service segment, new ids for the sandbox. */
export function decideRetry(decision: TraceDecision, traceFormat: TraceFormat): TraceDecision {
  if (decision.ids === undefined) return decision;
  const ids: SegmentIds = {
    service: decision.ids.service,
    function: newEntityId(),
    initialization: newEntityId(),
    invocation: newEntityId(),
    overhead: newEntityId(),
  };
  const parent = traceFormat === 1 ? ids.invocation : ids.function;
  return { ...decision, ids, header: { ...decision.header, parent } };
}

/**
 * Lambda's own rule: the first request of each second, and 5 % of the rest. Open one for each function.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
 */
export function openSampler(sampling: Sampling, { nowMs = Date.now, random = Math.random } = {}): () => boolean {
  let second = Number.NaN;
  return () => {
    switch (sampling) {
      case 'all':
        return true;
      case 'off':
        return false;
      case 'aws': {
        const current = Math.floor(nowMs() / 1000);
        if (current !== second) {
          second = current;
          return true;
        }
        return random() < 0.05;
      }
    }
  };
}

export function newTraceId(nowUs: number): TraceId {
  const seconds = Math.floor(nowUs / 1e6)
    .toString(16)
    .padStart(8, '0')
    .slice(-8);
  return `${seconds}${randomBytes(12).toString('hex')}` as TraceId;
}

export function newEntityId(): EntityId {
  return randomBytes(8).toString('hex') as EntityId;
}
