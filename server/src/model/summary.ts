import type { AnnotationValue, Http, Outcome } from './entity.ts';
import type { ServiceId } from './graph.ts';
import type { RootCauses } from './root-cause.ts';
import type { TraceId } from './trace-id.ts';

/**
 * A trace in a list. Times are microseconds. `durationUs` is undefined while an entity is unfinished,
 * `responseTimeUs` while the root is. The `has…` flags are those of the root segment, as in X-Ray;
 * the `any…` flags and `worstOutcome` consider every entity.
 */
export type TraceSummary = {
  readonly id: TraceId;
  readonly startUs: number;
  readonly durationUs: number | undefined;
  readonly responseTimeUs: number | undefined;
  readonly hasFault: boolean;
  readonly hasError: boolean;
  readonly hasThrottle: boolean;
  readonly anyFault: boolean;
  readonly anyError: boolean;
  readonly anyThrottle: boolean;
  readonly worstOutcome: Outcome;
  readonly isPartial: boolean;
  readonly http: Http;
  /** Distinct typed values by key, in order of their entity's start. */
  readonly annotations: Readonly<Record<string, readonly AnnotationValue[]>>;
  readonly users: readonly string[];
  readonly services: readonly ServiceId[];
  readonly resourceArns: readonly string[];
  readonly instanceIds: readonly string[];
  readonly availabilityZones: readonly string[];
  readonly entryPoint: ServiceId | undefined;
  readonly rootCauses: RootCauses;
  readonly revision: number;
  /** When the last document arrived. */
  readonly updatedUs: number;
  /**
   * The trace exceeds the bounds up to which traces are assembled. Its services, root causes and values may be
   * incomplete.
   */
  readonly limitExceeded?: boolean;
  readonly segmentCount: number;
  readonly subsegmentCount: number;
};
