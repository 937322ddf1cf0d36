import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { childrenOf, engineOf, freeze, parentIn } from './processes.ts';

test('the parent is read from a line whose name has parentheses', () => {
  expect(parentIn('42 (a ) b (c) S 7 42 42 0')).toBe(7);
  expect(parentIn('')).toBeUndefined();
});

test.runIf(process.platform === 'linux')('a child is found and frozen, and without the engine it is none', async () => {
  const child = spawn('sleep', ['600']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const pid = child.pid as number;
  expect(childrenOf(process.pid)).toContain(pid);
  expect(engineOf(process.pid)).toBeUndefined();
  await freeze([pid]);
});
