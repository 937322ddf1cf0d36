import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Processes of embedded engines that another process has started. Linux only. */
export function enginesOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
    .map(Number)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('engine-process'));
}

/** Of the process of an engine: the first thread, those of Node and libuv, those of ClickHouse. */
export type ThreadKind = 'main' | 'node' | 'clickhouse';

/** Sends a signal to one thread, as a fault in it does. On Linux, with Python: Node signals whole processes. */
export function signalThread(pid: number, kind: ThreadKind, signal: NodeJS.Signals): void {
  const number = constants.signals[signal];
  const threads = threadsOf(pid).filter((thread) => kindOf(pid, thread) === kind && !isBlocked(pid, thread, number));
  const script = 'import ctypes, sys; sys.exit(ctypes.CDLL(None).tgkill(*map(int, sys.argv[1:])))';
  // A thread of a pool may have ended.
  const isSent = threads.some((thread) => {
    const args = ['-c', script, String(pid), String(thread), String(number)];
    return spawnSync('python3', args).status === 0;
  });
  if (!isSent) throw new Error(`no ${kind} thread of ${pid} took ${signal}`);
}

const threadsOf = (pid: number): readonly number[] => readdirSync(`/proc/${pid}/task`).map(Number);

/** Names of Node's threads; before Node 24 all are `node`. */
const OF_NODE = /^(node|libuv-worker)/;

function kindOf(pid: number, thread: number): ThreadKind | undefined {
  if (thread === pid) return 'main';
  try {
    return OF_NODE.test(readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8')) ? 'node' : 'clickhouse';
  } catch {
    return undefined;
  }
}

/** A blocked signal waits. Only that of a fault ends the process, and this one is sent. */
function isBlocked(pid: number, thread: number, signal: number): boolean {
  const mask = /^SigBlk:\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1];
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/**
 * Sends SIGSTOP, and on Linux waits until all threads are stopped: the signal returns at once, and on a busy machine
 * threads run for a while after it.
 */
export async function pauseProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  if (process.platform !== 'linux') return;
  const isStopped = (thread: number) => /\) [Tt] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
  while (!threadsOf(pid).every(isStopped)) await delay(5);
}

/** Whether the process has ended, also if its parent has not noticed. */
export function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/**
 * Takes the lock of an engine as soon as it is free, so that no engine opens the directory. Resolves once it waits for
 * the lock. `release` frees the lock again.
 */
export async function queueForEngineLock(dataDir: string): Promise<{ locked: Promise<unknown>; release(): void }> {
  const script = 'echo waiting; exec flock "$0" sh -c "echo locked; exec cat"';
  const child = spawn('sh', ['-c', script, join(dataDir, 'clickhouse', 'status')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { locked: once(child.stdout, 'data'), release: () => child.stdin.end() };
}
