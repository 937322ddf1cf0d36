import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openLocalLambda, resultOf } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';

const TICK_MS = 5;

const FILES = {
  'template.yaml':
    'Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: app, Handler: a.handler, Runtime: nodejs20.x, Timeout: 20}}}',
  'app/a.js': `
    let ticks = 0;
    setInterval(() => { ticks++; }, ${TICK_MS});
    exports.handler = async () => ({ ticks, pid: process.pid });`,
};

type Answer = { readonly ticks: number; readonly pid: number };

/** State of a process: `T` is stopped. */
const stateOf = (pid: number) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];

test.skipIf(process.platform !== 'linux')('a frozen environment stands still until its next invocation', async () => {
  const { invoke, lambda, close } = await openLocalLambda(FILES, { freeze: true });
  onTestFinished(close);
  const first = resultOf(await invoke('F')) as Answer;
  await expect.poll(() => stateOf(first.pid)).toBe('T');
  // A clock of the same period in a process that is not frozen.
  let ticks = 0;
  const clock = setInterval(() => ticks++, TICK_MS);
  onTestFinished(() => clearInterval(clock));
  const states = new Set<string | undefined>();
  await expect
    .poll(() => {
      states.add(stateOf(first.pid));
      return ticks;
    })
    .toBeGreaterThan(100);
  expect([...states]).toEqual(['T']);
  const ticksWhileFrozen = ticks;
  const second = resultOf(await invoke('F')) as Answer;
  expect(second.pid).toBe(first.pid);
  expect(second.ticks - first.ticks).toBeLessThan(ticksWhileFrozen / 2);
  await lambda.close();
  await expect.poll(() => isRunning(first.pid)).toBe(false);
});
