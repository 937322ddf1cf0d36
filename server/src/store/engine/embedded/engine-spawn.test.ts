import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { endEarlyEngine, startEngineEarly, takeEngineProcess } from './engine-spawn.ts';

const processes: ChildProcess[] = [];

afterEach(() => {
  endEarlyEngine();
  for (const process of processes.splice(0)) process.kill('SIGKILL');
});

function take(poolSize: number): ChildProcess {
  const process = takeEngineProcess(poolSize);
  processes.push(process);
  return process;
}

test('the process that was started early is used once', () => {
  const early = startEngineEarly(2);
  expect(take(2)).toBe(early);
  expect(take(2)).not.toBe(early);
});

test('an early process for another number of queries is ended and not used', async () => {
  const early = startEngineEarly(2);
  const ended = once(early, 'exit');
  expect(take(3)).not.toBe(early);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('an early process that has ended is not used', async () => {
  const early = startEngineEarly(2);
  early.kill('SIGKILL');
  await once(early, 'exit');
  expect(take(2)).not.toBe(early);
});

test('a store without an embedded engine ends the early process', async () => {
  const early = startEngineEarly(2);
  endEarlyEngine();
  expect(await once(early, 'exit')).toEqual([null, 'SIGKILL']);
});
