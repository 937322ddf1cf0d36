/** `openray/testing`: starts a server for tests, waits for traces, and checks expectations about them. */
export type { RecordedTrace } from '../client/recorded-trace.ts';
export { type WaitOptions, waitForTrace } from '../client/wait-for-trace.ts';
export { expectTrace, type TraceExpectations } from './expect-trace.ts';
export type { ExpectedValue } from './expected-value.ts';
export {
  type EntityConditions,
  type MatcherResult,
  type NamePattern,
  type TraceMatchers,
  traceMatchers,
} from './matchers.ts';
export { type Invocation, type InvokeOptions, type Openray, startOpenray, type TestScope } from './openray.ts';
export type { OpenrayOptions } from './server-process.ts';
export { shareOpenray } from './shared-server.ts';
