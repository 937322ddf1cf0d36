import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { cropCause, readErrorReport, sanitizeErrorType } from './error-report.ts';

const ID = expect.stringMatching(/^[0-9a-f]{16}$/);

describe('a report of a runtime', () => {
  test('without a cause header gets its cause from the body', () => {
    const { cause, errorType } = readErrorReport(Buffer.from('{"errorType":"E","errorMessage":"m"}'), {});
    expect(cause).toEqual({ exceptions: [{ id: ID, type: 'E', message: 'm' }] });
    expect(errorType).toBeUndefined();
  });

  test.each(['not json', '[]', '{}', '{"exceptions":[],"paths":[]}'])(
    'with an unusable cause (%s) has no cause',
    (header) => {
      const headers = { 'lambda-runtime-function-xray-error-cause': header };
      expect(readErrorReport(Buffer.from('also not json'), headers).cause).toBeUndefined();
    },
  );

  test('may have its cause in the body, from which it is removed for the caller', () => {
    const body = { errorMessage: 'm', errorType: 'E', stackTrace: [], errorCause: { message: 'why' } };
    const headers = { 'content-type': 'application/vnd.aws.lambda.error.cause+json' };
    const report = readErrorReport(Buffer.from(JSON.stringify(body)), headers);
    expect(JSON.parse(report.body.toString())).toEqual({ errorMessage: 'm', errorType: 'E', stackTrace: [] });
    expect(report.cause).toEqual({ message: 'why' });
  });

  test('keeps frames without a line and exceptions without frames', () => {
    const exceptions = [{ type: 'E', stack: [{ path: 'file', line: null, label: 'f' }] }, { type: 'F' }];
    const headers = { 'lambda-runtime-function-xray-error-cause': JSON.stringify({ exceptions }) };
    const { cause } = readErrorReport(Buffer.from('{}'), headers);
    expect(cause).toEqual({ exceptions: exceptions.map((exception) => ({ id: ID, ...exception })) });
  });
});

test('error types are Lambda’s categories, or unknown', () => {
  expect(
    ['Runtime.ImportModuleError', 'Function.Big', 'Function.2', 'ValueError', 'Runtime.x y'].map(sanitizeErrorType),
  ).toEqual(['Runtime.ImportModuleError', 'Function.Big', 'Function.Unknown', 'Runtime.Unknown', 'Runtime.Unknown']);
});

test('a cause is cropped until it fits, and keeps its first exception', () => {
  const frame = fc.record({ path: fc.string(), line: fc.nat(), label: fc.string({ maxLength: 60 }) });
  const exception = fc.record({
    type: fc.constant('E'),
    message: fc.string({ maxLength: 3000 }),
    stack: fc.array(frame, { maxLength: 60 }),
  });
  const cause = fc.record({
    exceptions: fc.array(exception, { minLength: 1, maxLength: 30 }),
    paths: fc.array(fc.string()),
  });
  fc.assert(
    fc.property(cause, (full) => {
      const cropped = cropCause(full as unknown as JsonObject, 20_000);
      expect(Buffer.byteLength(JSON.stringify(cropped))).toBeLessThanOrEqual(20_000);
      expect(cropped.exceptions).toMatchObject([{ type: 'E' }, ...(cropped.exceptions as []).slice(1)]);
    }),
    { numRuns: 50 },
  );
});
