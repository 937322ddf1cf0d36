import type { TraceDecision } from '../tracing/sampling-decision.ts';

/** One log event of a function. `text` has no final line end, and may have several lines. */
export type FunctionLogEvent = {
  readonly functionName: string;
  readonly logGroup: string;
  readonly logStream: string;
  /** Undefined for a line that is printed outside of an invocation. */
  readonly requestId: string | undefined;
  readonly trace: TraceDecision | undefined;
  readonly source: 'platform' | 'function' | 'extension';
  readonly atUs: number;
  readonly text: string;
};
