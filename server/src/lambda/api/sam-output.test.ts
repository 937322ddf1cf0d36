import { expect, test } from 'vitest';
import type { TraceId } from '../../model/trace-id.ts';
import type { InvokeResult } from '../spec/lambda-client.ts';
import { renderInvocation } from './sam-output.ts';

const result: InvokeResult = {
  requestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  statusCode: 200,
  payload: Buffer.from('{"status_code": 200}'),
  functionError: undefined,
  log: 'START …\nEND …\n',
  logTail: 'END …\n',
  traceHeader: 'Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=7c2e3f4a5b6c7d82;Sampled=1',
  traceId: '6650a0803c4d5e6f708192a3b4c5d6e7' as TraceId,
  segmentId: undefined,
  isSampled: true,
  executedVersion: '$LATEST',
};

test('text: log on stderr, payload on stdout without a final line end', () => {
  expect(renderInvocation(result, 'text')).toEqual({ stderr: 'START …\nEND …\n', stdout: '{"status_code": 200}' });
});

test('JSON: the response of the API, payload as text, log in Base64', () => {
  const { stdout, stderr } = renderInvocation({ ...result, functionError: 'Unhandled' }, 'json');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\{\n {2}"ResponseMetadata": \{/);
  expect(JSON.parse(stdout)).toEqual({
    ResponseMetadata: {
      RequestId: result.requestId,
      HTTPStatusCode: 200,
      HTTPHeaders: { 'x-amzn-requestid': result.requestId, 'x-amzn-trace-id': result.traceHeader },
      RetryAttempts: 0,
    },
    StatusCode: 200,
    FunctionError: 'Unhandled',
    LogResult: Buffer.from('END …\n').toString('base64'),
    ExecutedVersion: '$LATEST',
    Payload: '{"status_code": 200}',
  });
});

test('an asynchronous response has neither log nor version', () => {
  const answer = JSON.parse(renderInvocation({ ...result, statusCode: 202, payload: Buffer.alloc(0) }, 'json').stdout);
  expect(answer).toMatchObject({ StatusCode: 202, Payload: '' });
  expect(answer).not.toHaveProperty('LogResult');
});
