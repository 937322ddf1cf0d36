import { getHeapStatistics } from 'node:v8';
import { beforeEach, expect, test } from 'vitest';
import { type IdleMemory, newIdleMemory } from './idle-memory.ts';

const server = { utilization: 0 };
let memory: IdleMemory;

const heapMegabytes = () => getHeapStatistics().total_heap_size / 1024 ** 2;

/** Grows the heap by more than 64 MB, all of it garbage. */
function burst(): void {
  const objects: object[] = [];
  const grown = heapMegabytes() + 100;
  while (heapMegabytes() < grown) for (let index = 0; index < 10_000; index++) objects.push({ index });
}

beforeEach(() => {
  server.utilization = 0;
  memory = newIdleMemory(() => server.utilization);
});

test('an idle server returns the memory of a burst', async () => {
  burst();
  const grown = heapMegabytes();
  expect(await memory.collectIfIdle()).toBe(true);
  expect(heapMegabytes()).toBeLessThan(grown - 64);
});

test('a server that is busy collects nothing', async () => {
  burst();
  server.utilization = 0.03;
  expect(await memory.collectIfIdle()).toBe(false);
});

test('a server that has not grown collects nothing', async () => {
  burst();
  await memory.collectIfIdle();
  expect(await memory.collectIfIdle()).toBe(false);
});

test('the utilization is that of the event loop since the last call', async () => {
  const idle = newIdleMemory();
  burst();
  // The burst itself has kept the event loop busy.
  expect(await idle.collectIfIdle()).toBe(false);
});
