import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openLocalLambda, resultOf } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';

const FILES = {
  'template.yaml':
    'Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: app, Handler: a.handler, Runtime: nodejs20.x, Timeout: 20}}}',
  'app/a.js': `
    setInterval(() => {}, 1);
    exports.handler = async () => process.pid;`,
};

/** State of a process, `T` is stopped, and the processor time that it has used, in ticks of the kernel. */
function processOf(pid: number): { readonly state: string | undefined; readonly used: number } {
  const [state, ...fields] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
  return { state, used: Number(fields[10]) + Number(fields[11]) };
}

test.skipIf(process.platform !== 'linux')('a frozen environment stands still until its next invocation', async () => {
  const { invoke, lambda, close } = await openLocalLambda(FILES, { freeze: true });
  onTestFinished(close);
  const pid = resultOf(await invoke('F')) as number;
  await expect.poll(() => processOf(pid).state).toBe('T');
  const frozen = processOf(pid);
  const seen: unknown[] = [];
  await expect.poll(() => seen.push(processOf(pid))).toBe(50);
  expect(seen).toEqual(seen.map(() => frozen));
  expect(resultOf(await invoke('F'))).toBe(pid);
  await lambda.close();
  await expect.poll(() => isRunning(pid)).toBe(false);
});
