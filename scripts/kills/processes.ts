import { readdirSync, readFileSync } from 'node:fs';

/** Processes whose parent is `pid`, from /proc; none on other systems than Linux. */
export function childrenOf(pid: number): readonly number[] {
  return readProcesses().filter((child) => parentIn(read(`/proc/${child}/stat`)) === pid);
}

/** The child of the server that runs the engine: the one that has loaded its library. */
export function engineOf(serverPid: number): number | undefined {
  return childrenOf(serverPid).find((child) => read(`/proc/${child}/maps`).includes('chdb'));
}

/** Stops processes with SIGSTOP, and resolves when each of their threads stands still. */
export async function freeze(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  while (!pids.every(isFrozen)) await new Promise((resolve) => setTimeout(resolve, 1));
}

function isFrozen(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  // A thread that has ended meanwhile has no line.
  return threads.every((thread) => /^(?:$|.*\) T)/s.test(read(`/proc/${pid}/task/${thread}/stat`)));
}

/** Field 4 of a line of /proc/PID/stat. The name before it, in parentheses, may hold spaces and parentheses. */
export function parentIn(line: string): number | undefined {
  const parent = /^ \S (\d+) /.exec(line.slice(line.lastIndexOf(')') + 1))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function readProcesses(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** Empty when the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
