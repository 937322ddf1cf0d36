import { expect, test } from 'vitest';
import { loadConfig } from '../config.ts';
import type { EntityId } from '../model/trace-id.ts';
import { traceHint } from './trace-hint.ts';

const { config } = loadConfig({}, {}, undefined);
const untraced = { segmentId: undefined, statusCode: 200 } as const;
const passThrough = { logicalId: 'F', tracing: 'PassThrough' } as const;

test('a function without active tracing', () => {
  expect(traceHint(untraced, passThrough, config)).toBe(
    'No trace: the template sets no "Tracing: Active" for F. To see one, add --tracing active.',
  );
});

test('a flag that leaves the invocation out is named', () => {
  expect(traceHint(untraced, passThrough, { ...config, tracing: 'passthrough' })).toContain('--tracing passthrough');
  expect(traceHint(untraced, { ...passThrough, tracing: 'Active' }, { ...config, lambdaSampling: 'off' })).toBe(
    'No trace: --lambda-sampling off left this invocation out.',
  );
});

test('no hint beside a trace, and for an invocation that did not run', () => {
  expect(traceHint({ ...untraced, segmentId: '53995c3f42cd8ad8' as EntityId }, passThrough, config)).toBeUndefined();
  expect(traceHint({ ...untraced, statusCode: 204 }, passThrough, config)).toBeUndefined();
});
