import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openLocalLambda, resultOf } from '../testing/local-functions.ts';

const FILES = {
  'template.yaml':
    'Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: app, Handler: a.handler, Runtime: nodejs20.x, Timeout: 20}}}',
  'app/a.js': `
    let ticks = 0;
    setInterval(() => { ticks++; }, 5);
    exports.handler = async () => ({ ticks, pid: process.pid });`,
};

type Answer = { readonly ticks: number; readonly pid: number };

/** `T` is stopped. */
const stateOf = (pid: number) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];

test.skipIf(process.platform !== 'linux')('a frozen environment stands still until its next invocation', async () => {
  const { invoke, lambda: functions, close } = await openLocalLambda(FILES, { freeze: true });
  onTestFinished(close);
  const first = resultOf(await invoke('F')) as Answer;
  await vi.waitFor(() => expect(stateOf(first.pid)).toBe('T'));
  const beganMs = performance.now();
  while (performance.now() - beganMs < 200) expect(stateOf(first.pid)).toBe('T');
  const second = resultOf(await invoke('F')) as Answer;
  expect(second.pid).toBe(first.pid);
  expect(second.ticks - first.ticks).toBeLessThan(30);
  await functions.close();
  await vi.waitFor(() => expect(() => process.kill(first.pid, 0)).toThrow());
});
