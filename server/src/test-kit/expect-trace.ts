import { AssertionError } from 'node:assert';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { type TraceMatcherName, type TraceMatchers, traceMatchers } from './matchers.ts';

type MatcherArguments<Matcher> = Matcher extends (trace: RecordedTrace, ...rest: infer Arguments) => unknown
  ? Arguments
  : never;

type Expectations = { readonly [Name in TraceMatcherName]: (...rest: MatcherArguments<TraceMatchers[Name]>) => void };

export type TraceExpectations = Expectations & { readonly not: Expectations };

/**
 * Expectations for test runners without matchers of their own, such as `node:test`: `expectTrace(trace).toCall('shop')`.
 * Throws AssertionError.
 */
export function expectTrace(trace: RecordedTrace): TraceExpectations {
  return { ...expectationsOf(trace, false), not: expectationsOf(trace, true) };
}

function expectationsOf(trace: RecordedTrace, isOpposite: boolean): Expectations {
  const check = (name: TraceMatcherName) => {
    const matcher = traceMatchers[name] as (
      trace: RecordedTrace,
      ...rest: readonly unknown[]
    ) => ReturnType<TraceMatchers['toBeOk']>;
    return function expectation(...rest: readonly unknown[]) {
      const { pass, message } = matcher(trace, ...rest);
      if (pass === isOpposite) throw new AssertionError({ message: message(), stackStartFn: expectation });
    };
  };
  const names = Object.keys(traceMatchers) as TraceMatcherName[];
  return Object.fromEntries(names.map((name) => [name, check(name)])) as unknown as Expectations;
}
