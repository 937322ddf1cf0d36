/** `import 'openray/testing/vitest'` in a set-up file: `expect(trace).toHaveSubsegment(…)` in every test. */
import { expect } from 'vitest';
import type { TraceExpectations } from './expect-trace.ts';
import { traceMatchers } from './matchers.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: declarations that are merged must be spelt alike
  interface Matchers<T = any> extends Omit<TraceExpectations, 'not'> {}
}

expect.extend(traceMatchers);
