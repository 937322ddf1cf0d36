import { AssertionError } from 'node:assert';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { type TraceMatcherName, type TraceMatchers, traceMatchers } from './matchers.ts';

type MatcherArguments<Matcher> = Matcher extends (trace: RecordedTrace, ...args: infer Arguments) => unknown
  ? Arguments
  : never;

type Expectations = { readonly [Name in TraceMatcherName]: (...args: MatcherArguments<TraceMatchers[Name]>) => void };

export type TraceExpectations = Expectations & { readonly not: Expectations };

/**
 * Expectations for test runners without matchers of their own, such as `node:test`:
 * `expectTrace(trace).toCall('shop')`.
 * Throws AssertionError.
 */
export function expectTrace(trace: RecordedTrace): TraceExpectations {
  return { ...expectationsOf(trace, false), not: expectationsOf(trace, true) };
}

function expectationsOf(trace: RecordedTrace, isNegated: boolean): Expectations {
  const check = (name: TraceMatcherName) => {
    const matcher = traceMatchers[name] as (
      trace: RecordedTrace,
      ...args: readonly unknown[]
    ) => ReturnType<TraceMatchers['toBeOk']>;
    return function expectation(...args: readonly unknown[]) {
      const { pass, message } = matcher(trace, ...args);
      if (pass === isNegated) throw new AssertionError({ message: message(), stackStartFn: expectation });
    };
  };
  const names = Object.keys(traceMatchers) as TraceMatcherName[];
  return Object.fromEntries(names.map((name) => [name, check(name)])) as unknown as Expectations;
}
