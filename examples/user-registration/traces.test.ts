import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { collectDocuments } from './collect-documents.ts';
import invalidEmail from './events/invalid_user_invalid_email.json' with { type: 'json' };
import brian from './events/valid_user.json' with { type: 'json' };

const invocation = '7c2e3f4a5b6c7d82';
const context = {
  awsRequestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  logGroupName: '/aws/lambda/InstrumentedFunction',
  logStreamName: '2024/04/30/[$LATEST]6f1e',
} as Context;

let collector: Awaited<ReturnType<typeof collectDocuments>>;
let page: ChildProcess;

beforeAll(async () => {
  collector = await collectDocuments();
  const main = fileURLToPath(new URL('registration-page/main.ts', import.meta.url));
  page = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, PORT: '0', AWS_XRAY_DAEMON_ADDRESS: collector.daemonAddress },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [greeting] = await once(createInterface({ input: page.stdout as NodeJS.ReadableStream }), 'line');
  vi.stubEnv('REGISTRATION_URL', greeting.replace('registration page: ', ''));
  vi.stubEnv('AWS_XRAY_DAEMON_ADDRESS', collector.daemonAddress);
  // The X-Ray library and Powertools recognise Lambda by these variables.
  vi.stubEnv('LAMBDA_TASK_ROOT', '/var/task');
  vi.stubEnv('AWS_EXECUTION_ENV', 'AWS_Lambda_nodejs20.x');
  vi.stubEnv('AWS_LAMBDA_INITIALIZATION_TYPE', 'on-demand');
  vi.stubEnv('_HANDLER', 'index.handler');
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'instrumented-user-registration');
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'true');
});
afterAll(async () => {
  page.kill();
  await once(page, 'exit');
  collector.close();
});

/** One invocation, in the trace `root`. As in Lambda, there is no trace header while the module loads. */
async function invoke(name: 'vanilla' | 'instrumented', event: unknown, root: string) {
  vi.stubEnv('_X_AMZN_TRACE_ID', undefined);
  const { handler } =
    name === 'vanilla'
      ? await import('./functions/vanilla/index.ts')
      : await import('./functions/instrumented/index.ts');
  vi.stubEnv('_X_AMZN_TRACE_ID', `Root=${root};Parent=${invocation};Sampled=1`);
  collector.documents.splice(0);
  return handler(event, context);
}

// Runs first, before a tracer is loaded: a tracer traces every `fetch` of the process.
test('the vanilla function sends nothing, and the called service starts a trace of its own', async () => {
  const root = '1-6650a080-000000000000000000000000';
  await invoke('vanilla', brian, root);
  const service = await collector.document('registration-page');
  expect(service.trace_id).not.toBe(root);
  expect(service.parent_id).toBeUndefined();
  expect(collector.documents).toEqual([service]);
});

test('a trace of the instrumented function leads through its methods to the called service', async () => {
  const root = '1-6650a080-000000000000000000000001';
  await invoke('instrumented', brian, root);
  const handler = await collector.document('## index.handler');
  const method = await collector.document('### submitUser');
  const call = await collector.document('127.0.0.1');
  const service = await collector.document('registration-page');

  expect([handler, method, call, service].map((document) => document.trace_id)).toEqual([root, root, root, root]);
  expect([handler, method, call, service].map((document) => document.parent_id)).toEqual([
    invocation,
    handler.id,
    method.id,
    call.id,
  ]);
  expect(handler).toMatchObject({
    type: 'subsegment',
    annotations: { ColdStart: true, Service: 'instrumented-user-registration' },
    metadata: { 'instrumented-user-registration': { 'index.handler response': { status_code: 200, ...brian } } },
  });
  expect(method).toMatchObject({
    annotations: { user_id: 'brian1' },
    metadata: {
      'instrumented-user-registration': {
        log: '/aws/lambda/InstrumentedFunction/2024/04/30/[$LATEST]6f1e',
        request_id: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
        'submitUser response': { status_code: 200 },
      },
    },
  });
  expect(call).toMatchObject({ namespace: 'remote', http: { response: { status: 200 } } });
});

test('an event that is not a user is a fault of the handler, with its cause', async () => {
  await expect(invoke('instrumented', invalidEmail, '1-6650a081-000000000000000000000002')).rejects.toThrow('email');
  expect(await collector.document('## index.handler')).toMatchObject({
    fault: true,
    annotations: { ColdStart: false },
    cause: { exceptions: [{ type: 'ValidationError', message: 'email: Invalid email address' }] },
  });
});
