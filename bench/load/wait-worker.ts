/** A worker of a test runner, for `wait-load.ts`: its tests wait for traces of the run's shared openray, all at once. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Openray, startOpenray } from 'openray/testing';
import type { WaitKind, WaitTask, WaitTimes } from './wait-load.ts';

const openray = await startOpenray();

process.on('message', (task: WaitTask) => {
  void run(task).then((times) => process.send?.(times));
});
process.send?.('ready');

async function run({ kind, tests, rounds, pauseMs }: WaitTask): Promise<WaitTimes> {
  const waitsMs: number[] = [];
  const tookMs: number[] = [];
  const runTest = async () => {
    for (let round = 0; round < rounds; round++) {
      await delay(Math.random() * pauseMs);
      const beganMs = performance.now();
      waitsMs.push(await waitOnce(kind, round % 2 === 0));
      tookMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: tests }, runTest));
  return { waitsMs, tookMs };
}

/**
 * Sends a trace in two documents, and waits for it: from before the first document, or from its last acknowledgement.
 * Returns the milliseconds from that acknowledgement to the trace.
 */
async function waitOnce(kind: WaitKind, waitsEarly: boolean): Promise<number> {
  const scope = openray.scope();
  const scopedId = /Root=(\S+)/.exec(scope.traceHeader())?.[1] ?? '';
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  const id = kind === 'filter' ? `1-${seconds}-${randomBytes(12).toString('hex')}` : scopedId;
  const test = randomBytes(8).toString('hex');
  const start = Date.now() / 1000;
  const segment = { name: 'shop', id: test, trace_id: id, start_time: start, annotations: { test } };
  const wait = () => scope.waitForTrace(kind === 'id' ? id : `annotation.test = "${test}"`, { timeoutMs: 120_000 });
  const early = waitsEarly ? wait() : undefined;
  await put(openray, { ...segment, in_progress: true });
  await put(openray, { ...segment, end_time: start + 0.1 });
  const acknowledgedMs = performance.now();
  const trace = await (early ?? wait());
  if (trace.id !== id) throw new Error(`found ${trace.id} in place of ${id}`);
  return performance.now() - acknowledgedMs;
}

async function put({ url }: Openray, document: object): Promise<void> {
  const body = JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(document)] });
  const response = await fetch(`${url}/TraceSegments`, { method: 'POST', body });
  if (!response.ok) throw new Error(`PutTraceSegments answered ${response.status}`);
  await response.arrayBuffer();
}
