import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import invalidEmail from '../../events/invalid_user_invalid_email.json' with { type: 'json' };
import brian from '../../events/valid_user.json' with { type: 'json' };

const context = {
  functionName: 'InstrumentedFunction',
  functionVersion: '$LATEST',
  memoryLimitInMB: '256',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:InstrumentedFunction',
  awsRequestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  logGroupName: '/aws/lambda/InstrumentedFunction',
  logStreamName: '2024/04/30/[$LATEST]6f1e',
} as Context;

let pageStatus = 200;
const page = createServer((_request, response) => response.writeHead(pageStatus).end());

beforeAll(async () => {
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('REGISTRATION_URL', `http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
  vi.stubEnv('POWERTOOLS_TRACE_ENABLED', 'false');
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'instrumented-user-registration');
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Pycon2024');
  // Makes Powertools write to the test's console. Metrics are off then, unless the next variable is set.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => void page.close());

/** Calls the handler and returns its outcome, its log lines of all levels and its metric lines. */
async function register(event: unknown) {
  const { handler } = await import('./index.ts');
  const written: string[] = [];
  for (const method of ['log', 'info', 'error', 'warn'] as const) {
    vi.spyOn(console, method).mockImplementation((line) => void written.push(line));
  }
  const [outcome] = await Promise.allSettled([handler(event, context)]);
  const lines = written.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return {
    outcome,
    logs: lines.filter((line) => 'level' in line),
    metrics: lines.filter((line) => '_aws' in line),
  };
}

test('a valid user is registered, logged with its invocation, and counted', async () => {
  pageStatus = 200;
  const { outcome, logs, metrics } = await register(brian);
  expect(outcome).toEqual({ status: 'fulfilled', value: { status_code: 200, ...brian } });
  expect(logs).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'submit_user successful',
      service: 'instrumented-user-registration',
      function_name: 'InstrumentedFunction',
      function_request_id: context.awsRequestId,
      ...brian,
    }),
  ]);
  expect(metrics).toEqual([
    {
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: 'Pycon2024',
            Dimensions: [['service']],
            Metrics: [{ Name: 'SuccessfulSubmission', Unit: 'Count' }],
          },
        ],
      },
      service: 'instrumented-user-registration',
      SuccessfulSubmission: 1,
    },
  ]);
});

test('a page with status 503 makes the handler throw; its request is counted as successful', async () => {
  pageStatus = 503;
  const { outcome, logs, metrics } = await register(brian);
  const failure = 'Could not add user Brian McNamara (brian1): 503';
  expect(outcome).toMatchObject({ status: 'rejected', reason: { message: failure } });
  expect(logs).toMatchObject([{ level: 'ERROR', message: failure }]);
  expect(metrics).toMatchObject([{ SuccessfulSubmission: 1 }]);
});

test('a page that closes the connection counts as unsuccessful, and as 500', async () => {
  page.once('connection', (socket) => socket.destroy());
  page.closeAllConnections();
  const { outcome, logs, metrics } = await register(brian);
  expect(outcome).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/: 500$/) } });
  expect(logs).toMatchObject([
    { level: 'ERROR', message: 'the registration page did not answer', error: { message: 'fetch failed' } },
    { level: 'ERROR' },
  ]);
  expect(metrics).toMatchObject([{ UnsuccessfulSubmission: 1 }]);
});

test('an event that is not a user is rejected before the page is called', async () => {
  const { outcome, metrics } = await register(invalidEmail);
  expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'ValidationError' } });
  expect(metrics).toEqual([]);
});
