/** `openray/testing/jest` in jest's `setupFilesAfterEnv`: `expect(trace).toHaveSubsegment(…)` in every test. */
import type { TraceExpectations } from './expect-trace.ts';
import { traceMatchers } from './matchers.ts';

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: declarations that are merged must be spelt alike
    interface Matchers<R, T = {}> extends Omit<TraceExpectations, 'not'> {}
  }
}

(globalThis as unknown as { expect: { extend(matchers: object): void } }).expect.extend(traceMatchers);
