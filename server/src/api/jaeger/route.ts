import { fromThrough, type TimeInterval } from '../../model/time-interval.ts';
import type { Store } from '../../store/store.ts';
import type { QueryParameters } from './parameters.ts';

/** The parts of an HTTP request that Jaeger's paths use. `params` are those that a path names with a colon. */
export type JaegerRequest = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: QueryParameters;
};

export type JaegerContext = {
  readonly store: Store;
  readonly nowUs: () => number;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
};

/** One path of Jaeger's query API: all of them are `GET` with JSON out. */
export type JaegerRoute = {
  readonly path: string;
  run(request: JaegerRequest, context: JaegerContext): Promise<object>;
};

export const DEFAULT_LIMIT = 100;
export const LOOKBACK_US = 48 * 3_600_000_000;

/** The window of requests without one: the last 48 hours. */
export function recentWindow(nowUs: number): TimeInterval {
  return fromThrough(nowUs - LOOKBACK_US, nowUs);
}
