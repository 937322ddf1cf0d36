import { expect, test, vi } from 'vitest';
import { runThenClose } from './stop-signal.ts';

const failing = (reason: string) => () => Promise.reject(new Error(reason));

test('a failure to close does not hide the failure that ended the command', async () => {
  await expect(runThenClose(failing('the port is in use'), failing('nothing to close'))).rejects.toThrow(
    'the port is in use',
  );
  await expect(runThenClose(async () => {}, failing('cannot be closed'))).rejects.toThrow('cannot be closed');
});

test('what a command has opened is closed once, also when the command fails', async () => {
  const close = vi.fn(async () => {});
  await runThenClose(async () => {}, close);
  expect(close).toHaveBeenCalledTimes(1);
  await expect(runThenClose(failing('failed'), close)).rejects.toThrow('failed');
  expect(close).toHaveBeenCalledTimes(2);
});
