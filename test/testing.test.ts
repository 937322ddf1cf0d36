import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Openray, startOpenray, waitForTrace } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import { segment } from './support/documents.ts';
import { removeFolder, temporaryFolder } from './support/server.ts';

const FUNCTION = `
const { randomBytes } = require('node:crypto');
const { createSocket } = require('node:dgram');
const send = (document) => new Promise((done) => {
  const socket = createSocket('udp4');
  const text = '{"format":"json","version":1}\\n' + JSON.stringify(document);
  const [host, port] = process.env.AWS_XRAY_DAEMON_ADDRESS.split(':');
  socket.send(text, Number(port), host, () => { socket.close(); done(); });
});
exports.handler = async ({ user, fails }) => {
  const [root, parent] = ['Root', 'Parent'].map((key) => new RegExp(key + '=([^;]+)').exec(process.env._X_AMZN_TRACE_ID)[1]);
  const now = Date.now() / 1000;
  await send({ type: 'subsegment', id: randomBytes(8).toString('hex'), trace_id: root, parent_id: parent,
    name: '## register', start_time: now, end_time: now + 0.001, annotations: { user } });
  if (fails) throw new TypeError('no such user');
  return { registered: user };
};`;

const TEMPLATE = `
Resources:
  Register:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: app, Handler: index.handler, Runtime: nodejs20.x, Tracing: Active, Timeout: 60 }
`;

let folder: string;
let openray: Openray;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'template.yaml'), TEMPLATE.replace('CodeUri: app', 'CodeUri: .'));
  await writeFile(join(folder, 'index.js'), FUNCTION);
  openray = await startOpenray({ template: join(folder, 'template.yaml') });
});

afterAll(async () => {
  await openray.close();
  await removeFolder(folder);
});

describe('a test with openray/testing', () => {
  test('invokes a function and checks its complete trace', async () => {
    const invocation = await openray.invoke<{ registered: string }>('Register', { user: 'brian1' });
    expect(invocation.result).toEqual({ registered: 'brian1' });
    expect(invocation.log).toContain(`START RequestId: ${invocation.requestId}`);
    const trace = await invocation.trace();
    expect(trace.id).toBe(invocation.traceId);
    expect(trace).toBeComplete();
    expect(trace).toHaveSegment('Register', { origin: 'AWS::Lambda::Function' });
    expect(trace).toHaveSubsegment('## register');
    expect(trace).toHaveAnnotation('user', 'brian1');
    expect(trace).toBeOk();
    expect(trace).toBeFasterThan((trace.durationMs ?? 0) + 1);
    expect(trace).not.toHaveFault();
  });

  test('finds a trace by an annotation while its function runs', async () => {
    const waiting = openray.waitForTrace('annotation.user = "later"');
    const { traceId } = await openray.invoke('Register', { user: 'later' });
    expect((await waiting).id).toBe(traceId);
  });

  test('finds only its own traces by a filter within a scope', async () => {
    const scopes = Array.from({ length: 8 }, () => openray.scope());
    const waits = scopes.map((scope) => scope.waitForTrace('annotation.user = "same"'));
    const invocations = await Promise.all(scopes.map((scope) => scope.invoke('Register', { user: 'same' })));
    const found = await Promise.all(waits);
    expect(found.map(({ id }) => id)).toEqual(invocations.map(({ traceId }) => traceId));
    expect(new Set(found.map(({ id }) => id)).size).toBe(8);
    await expect(openray.scope().waitForTrace('annotation.user = "same"', { timeoutMs: 100 })).rejects.toThrow(
      'no trace that matches',
    );
    expect((await openray.waitForTrace('annotation.user = "same"')).id).toMatch(/^1-/);
  });

  test('finds traces of senders without a scope, and of requests with a header of the scope', async () => {
    const scope = openray.scope();
    const root = /Root=(\S+)/.exec(scope.traceHeader())?.[1] ?? '';
    const documents = [segment({ name: 'no-scope' }), segment({ name: 'own-client', trace_id: root })];
    await fetch(`${openray.url}/TraceSegments`, {
      method: 'POST',
      body: JSON.stringify({ TraceSegmentDocuments: documents.map((one) => JSON.stringify(one)) }),
    });
    expect((await scope.waitForTrace('service("no-scope")')).id).toBe(documents[0]?.trace_id);
    expect((await scope.waitForTrace('service("own-client")')).id).toBe(root);
  });

  test('sees the fault of a failed function', async () => {
    const { functionError, trace } = await openray.invoke('Register', { user: 'x', fails: true });
    expect(functionError).toBe('Unhandled');
    expect(await trace()).toHaveFault('TypeError: no such user');
  });

  test('sees an asynchronous invocation after its last attempt', async () => {
    const { result, trace } = await openray.invoke('Register', { user: 'event' }, { invocationType: 'Event' });
    expect(result).toBeUndefined();
    expect(await trace()).toHaveSubsegment('Attempt #1', { status: 200 });
  });

  test('reads a document right after its acknowledgement', async () => {
    for (let i = 0; i < 20; i++) {
      const document = segment();
      const answer = await fetch(`${openray.url}/TraceSegments`, {
        method: 'POST',
        body: JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(document)] }),
      });
      expect(answer.status).toBe(200);
      // Without a timeout the server reads once.
      await openray.waitForTrace(document.trace_id, { timeoutMs: 0 });
    }
  });

  test('gets the missing parts in the message of a timeout', async () => {
    const open = { ...segment(), end_time: undefined, in_progress: true, name: 'never-done' };
    await fetch(`${openray.url}/TraceSegments`, {
      method: 'POST',
      body: JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(open)] }),
    });
    await expect(openray.waitForTrace(open.trace_id, { timeoutMs: 2_000 })).rejects.toThrow(
      /^the trace was not complete after 2000 ms: "never-done" is in progress\n\n1-.*\n - … - never-done/,
    );
    expect(await openray.waitForTrace(open.trace_id, { complete: false })).not.toBeComplete();
    await expect(waitForTrace(openray.url, 'service("unknown")', { timeoutMs: 100 })).rejects.toThrow(
      'no trace that matches service("unknown") was received within 100 ms',
    );
    await expect(openray.waitForTrace('service(')).rejects.toThrow('Invalid filter expression');
  });

  test('gets the reason for which openray did not start', async () => {
    await expect(startOpenray({ template: join(folder, 'nothing.yaml') })).rejects.toThrow(
      /there is no template .*nothing\.yaml/,
    );
  });

  test('ends its server when it is killed', async () => {
    const program = `
      import { startOpenray } from 'openray/testing';
      const { url } = await startOpenray();
      process.stdout.write(url);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = (await once(child.stdout, 'data')) as [Buffer];
    expect((await fetch(`${url}/health`)).status).toBe(200);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect(
      (async () => {
        for (;;) await fetch(`${url}/events`).then((answer) => answer.text());
      })(),
    ).rejects.toThrow();
  });
});

test('openray assert checks traces against a file, and prints the differences', async () => {
  const file = join(folder, 'checks.yaml');
  await writeFile(
    file,
    `
- invoke: Register
  event: {user: brian1}
  expect: [toBeOk, {toHaveSubsegment: "## register"}, {toHaveAnnotation: [user, brian1]}]
- trace: annotation.user = "brian1"
  expect: [{toHaveAnnotation: [user, dan1]}]
`,
  );
  const { stdout, exitCode } = await runOpenray(['assert', file, '--endpoint-url', openray.url]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(
    /^ok {2}Register\nFAILED {2}annotation.user = "brian1"\n {4}expected the trace to have the annotation user/,
  );
  expect(stdout).toContain('## register  user="brian1"');
  expect(stdout).toContain('1 of 2 passed');
});

test('a server is stopped by close, and the folders of other servers stay', async () => {
  const own = await startOpenray();
  expect((await fetch(`${own.url}/health`)).status).toBe(200);
  await own.close();
  await expect(fetch(`${own.url}/health`)).rejects.toThrow();
  expect(existsSync(folder)).toBe(true);
});
