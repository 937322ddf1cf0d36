import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile } from './latencies.ts';
import { cpuSecondsOf } from './process-usage.ts';

/** How tests name the trace: its id; a filter, with ids that carry the scope of the test; the same without a scope. */
export type WaitKind = 'id' | 'scoped-filter' | 'filter';

export type WaitTask = {
  readonly kind: WaitKind;
  /** Tests of this worker that run at once. */
  readonly tests: number;
  /** Traces that each test sends and waits for, one after the other. */
  readonly rounds: number;
  /** Longest pause before each of them. */
  readonly pauseMs: number;
};

/** One value for each wait. */
export type WaitTimes = {
  /** From the acknowledgement of the last document, or from the later start of the wait, to the trace. */
  readonly waitsMs: readonly number[];
  /** The whole test: two documents sent and acknowledged, and the wait. */
  readonly tookMs: readonly number[];
};

export type WaitLoad = {
  readonly waits: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Median of the whole test, its pause not included. */
  readonly testMs: number;
  /** CPU of the server for one test, its two documents included. */
  readonly cpuMs: number;
};

export type Workers = {
  run(task: WaitTask): Promise<WaitLoad>;
  stop(): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('./wait-worker.ts', import.meta.url));

/** Processes that join the shared openray of this process. */
export async function startWorkers(count: number, serverPid: number): Promise<Workers> {
  const children = Array.from({ length: count }, () =>
    fork(PROGRAM, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  await Promise.all(children.map((child) => reply(child)));
  return {
    async run(task) {
      const beganMs = performance.now();
      const cpuBefore = cpuSecondsOf(serverPid);
      const replies = children.map((child) => reply(child) as Promise<WaitTimes>);
      for (const child of children) child.send(task);
      const times = await Promise.all(replies);
      const cpuSeconds = cpuSecondsOf(serverPid) - cpuBefore;
      const seconds = (performance.now() - beganMs) / 1000;
      const waitsMs = times.flatMap((of) => of.waitsMs);
      return {
        waits: waitsMs.length,
        perSecond: waitsMs.length / seconds,
        p50Ms: percentile(waitsMs, 0.5),
        p99Ms: percentile(waitsMs, 0.99),
        testMs: percentile(
          times.flatMap((of) => of.tookMs),
          0.5,
        ),
        cpuMs: (cpuSeconds * 1000) / waitsMs.length,
      };
    },
    async stop() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill('SIGKILL');
          await once(child, 'exit');
        }),
      );
    },
  };
}

/** The next message of a worker. Throws when the worker ends before. */
async function reply(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: ended.signal }).then(([message]) => message as unknown),
      once(child, 'exit', { signal: ended.signal }).then(() => Promise.reject(new Error('a worker has ended'))),
    ]);
  } finally {
    ended.abort();
  }
}
