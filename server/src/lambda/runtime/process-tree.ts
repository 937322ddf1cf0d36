import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that forks without end is not followed further than this. */
const TREE_MAX = 256;

/** `pid` and everything it started, as far as the system tells; only `pid` where there is no /proc. */
export function processTree(pid: number): readonly number[] {
  const pids = [pid];
  for (let i = 0; i < pids.length && pids.length < TREE_MAX; i++) {
    for (const child of childrenOf(pids[i] as number)) if (!pids.includes(child)) pids.push(child);
  }
  return pids;
}

/** Peak memory of a process tree in kB: the sum of what each reached. Undefined once it is gone, or without /proc. */
export function treePeakKb(pid: number): number | undefined {
  const peaks = processTree(pid).flatMap((member) => peakKb(member) ?? []);
  return peaks.length === 0 ? undefined : peaks.reduce((sum, kb) => sum + kb, 0);
}

/** Of the process alone: one file instead of one for each thread and each child. */
export function peakKb(pid: number): number | undefined {
  const kb = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`))?.[1];
  return kb === undefined ? undefined : Number(kb);
}

/** What a process holds now in kB, asked of `ps`: for systems without /proc. */
export function residentKb(pid: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: 2000 }, (error, stdout) => {
      const kb = Number(stdout.trim());
      resolve(error === null && kb > 0 ? kb : undefined);
    });
  });
}

/** Ends every process of a group. Never throws. */
export function killGroup(leader: number): void {
  kill(-leader);
}

/** Ends a process group and every process below its leader, also those that left the group. Never throws. */
export function killTree(leader: number): void {
  const members = processTree(leader);
  killGroup(leader);
  for (const member of members) kill(member);
}

/** Stops every process of a tree where it is, or lets it go on. Never throws. */
export function freezeTree(leader: number, isFrozen: boolean): void {
  for (const member of processTree(leader)) kill(member, isFrozen ? 'SIGSTOP' : 'SIGCONT');
}

function kill(target: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(target, signal);
  } catch {
    // It is gone already.
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
