import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openLocalLambda, resultOf } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';
import type { LambdaServiceOptions } from './options.ts';

const CALLERS = 12;
const PATIENT = { timeout: 60_000, interval: 20 };

/** Its handlers return their process id; `meet` waits until as many invocations run at once as the event says. */
async function openMeeting(options: Partial<LambdaServiceOptions> = {}) {
  const local = await openLocalLambda(
    {
      'template.yaml': `
Globals: {Function: {Runtime: nodejs20.x, CodeUri: app, Timeout: 120}}
Resources:
  Meeting: {Type: AWS::Serverless::Function, Properties: {Handler: index.meet}}
  Second: {Type: AWS::Serverless::Function, Properties: {Handler: index.meet}}
  Third: {Type: AWS::Serverless::Function, Properties: {Handler: index.meet}}`,
      'app/index.js': `
        const { readdirSync, mkdirSync, writeFileSync } = require('node:fs');
        exports.meet = async ({ dir, count }, { awsRequestId }) => {
          mkdirSync(dir, { recursive: true });
          writeFileSync(dir + '/' + awsRequestId, '');
          while (readdirSync(dir).length < count) await new Promise((done) => setTimeout(done, 5));
          return process.pid;
        };`,
    },
    options,
  );
  onTestFinished(local.close);
  /** Runs `count` invocations at once; the process of each. */
  const meet = async (count: number, name = 'Meeting'): Promise<readonly number[]> => {
    const dir = join(local.dir, `${name}-${(await readdir(local.dir)).length}`);
    const results = await Promise.all(Array.from({ length: count }, () => local.invoke(name, { dir, count })));
    return results.map((result) => resultOf(result) as number);
  };
  return { meet };
}

test('all environments of a burst are kept, and the next burst starts none', async () => {
  const { meet } = await openMeeting();
  const first = await meet(CALLERS);
  expect(new Set(first).size).toBe(CALLERS);
  expect(first.filter(isRunning)).toHaveLength(CALLERS);
  const second = await meet(CALLERS);
  expect([...second].sort()).toEqual([...first].sort());
});

test('an environment ends when it was idle for its time', async () => {
  const { meet } = await openMeeting({ idleMs: 300 });
  const pids = await meet(2);
  await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), PATIENT);
});

test('of too many idle environments of all functions those that are idle longest end', async () => {
  const { meet } = await openMeeting({ maxConcurrency: 2 });
  const oldest = await meet(2, 'Meeting');
  const others = [...(await meet(2, 'Second')), ...(await meet(2, 'Third'))];
  await vi.waitFor(() => expect(oldest.filter(isRunning)).toEqual([]), PATIENT);
  expect(others.filter(isRunning)).toHaveLength(4);
});

/** Holds the timer of the 2 s in which extensions must end, until the returned function is called. */
function holdShutdown(): () => void {
  const start = globalThis.setTimeout;
  const held: (() => void)[] = [];
  const release = () => {
    for (const end of held.splice(0)) end();
  };
  const orHold = (callback: () => void, ms?: number) => {
    if (ms !== 2000) return start(callback, ms);
    held.push(callback);
    return start(() => {}, 0);
  };
  const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(orHold as typeof setTimeout);
  onTestFinished(() => {
    spy.mockRestore();
    release();
  });
  return release;
}

/** Registers for SHUTDOWN and then does not end, so that a stop of its environment takes all of that time. */
const STUBBORN = `#!${process.execPath}
process.on('SIGTERM', () => {});
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension/';
(async () => {
  const registered = await fetch(api + 'register', {
    method: 'POST', headers: { 'Lambda-Extension-Name': 'stubborn' }, body: JSON.stringify({ events: ['SHUTDOWN'] }),
  });
  require('node:fs').writeFileSync(__dirname + '/../stubborn.pid', String(process.pid));
  const headers = { 'Lambda-Extension-Identifier': registered.headers.get('lambda-extension-identifier') };
  await fetch(api + 'event/next', { headers });
  setInterval(() => {}, 1000);
})();
`;

test('the answer about a function that crashed does not wait until its environment has stopped', async () => {
  const local = await openLocalLambda({
    'template.yaml': `
Resources:
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Crashing:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      CodeUri: app
      Handler: index.handler
      Timeout: 60
      Layers: [!Ref Layer]`,
    'app/index.js': 'exports.handler = async () => process.exit(3);',
    'layer/extensions/stubborn': STUBBORN,
  });
  onTestFinished(local.close);
  await chmod(join(local.dir, 'layer/extensions/stubborn'), 0o755);
  const passShutdown = holdShutdown();
  const result = await local.invoke('Crashing');
  const pid = Number(await readFile(join(local.dir, 'layer/stubborn.pid'), 'utf8'));
  expect([result.functionError, isRunning(pid)]).toEqual(['Unhandled', true]);
  passShutdown();
  await local.lambda.close();
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), PATIENT);
});
