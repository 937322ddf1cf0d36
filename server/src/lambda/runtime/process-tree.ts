import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Upper bound of the processes in a tree, against a process that forks endlessly. */
const TREE_MAX = 256;

/** `pid` and its descendants, parents first; only `pid` on systems without /proc. */
export function processTree(pid: number): readonly number[] {
  const pids = [pid];
  for (let i = 0; i < pids.length && pids.length < TREE_MAX; i++) {
    for (const child of childrenOf(pids[i] as number)) if (!pids.includes(child)) pids.push(child);
  }
  return pids;
}

/** Peak memory of a process tree in kB: the sum of the peaks. Undefined after the tree has ended, or without /proc. */
export function treePeakKb(pid: number): number | undefined {
  const peaks = processTree(pid).flatMap((member) => peakKb(member) ?? []);
  return peaks.length === 0 ? undefined : peaks.reduce((sum, kb) => sum + kb, 0);
}

/** Peak memory in kB of one process without its descendants. Reads one file, not one for each thread and child. */
export function peakKb(pid: number): number | undefined {
  const kb = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`))?.[1];
  return kb === undefined ? undefined : Number(kb);
}

/** Resident memory of a process in kB, read from `ps`: for systems without /proc. */
export function residentKb(pid: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: 2000 }, (error, stdout) => {
      const kb = Number(stdout.trim());
      resolve(error === null && kb > 0 ? kb : undefined);
    });
  });
}

/** Kills every process of a group. Never throws. */
export function killGroup(leader: number): void {
  kill(-leader);
}

/** Kills a process group and every descendant of its leader, including those outside of the group. Never throws. */
export function killTree(leader: number): void {
  const members = processTree(leader);
  killGroup(leader);
  for (const member of members) kill(member);
}

/** Pauses (SIGSTOP) or resumes (SIGCONT) every process of a tree. Never throws. */
export function freezeTree(leader: number, isFrozen: boolean): void {
  for (const member of processTree(leader)) kill(member, isFrozen ? 'SIGSTOP' : 'SIGCONT');
}

function kill(target: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(target, signal);
  } catch {
    // The process has ended already.
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readProc(`${pid}/task/${thread}/children`)
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}
