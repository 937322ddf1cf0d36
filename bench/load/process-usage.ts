import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second of the CPU times in /proc: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** The server and the process of its engine, if there is one. */
function processesOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const isEngine = (child: number) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('engine-process');
  return [pid, ...children.filter(isEngine)];
}

const sumOf = (pid: number, usageOf: (one: number) => number): number =>
  processesOf(pid).reduce((sum, one) => sum + usageOf(one), 0);

/** CPU seconds so far of all threads of a process and its engine, in user and kernel mode. */
export function cpuSecondsOf(pid: number): number {
  return sumOf(pid, (one) => secondsIn(readFileSync(`/proc/${one}/stat`, 'utf8')));
}

/** CPU seconds by the role of the threads. */
export type CpuParts = { readonly javascript: number; readonly inserts: number; readonly merges: number };

/**
 * Roles by process and thread names: the first thread of the server runs JavaScript, `MergeMutate` threads of the engine
 * merge parts; all others serve calls or collect garbage.
 */
export function cpuPartsOf(pid: number): CpuParts {
  const parts = { javascript: 0, inserts: 0, merges: 0 };
  for (const one of processesOf(pid)) {
    for (const thread of readdirSync(`/proc/${one}/task`)) {
      const line = readThread(`/proc/${one}/task/${thread}/stat`);
      if (line === undefined) continue;
      const seconds = secondsIn(line);
      if (Number(thread) === pid) parts.javascript += seconds;
      else if (line.includes('(MergeMutate')) parts.merges += seconds;
      else parts.inserts += seconds;
    }
  }
  return parts;
}

/** Undefined when the thread has ended. */
function readThread(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function secondsIn(line: string): number {
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 of the line.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process and its engine. */
export function residentBytesOf(pid: number): number {
  return sumOf(pid, (one) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  });
}

/** Bytes in the kernel's receive queue of this UDP port. */
export function waitingDatagramBytes(port: number): number {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  // "  sl  local_address rem_address   st tx_queue rx_queue …": "0100007F:07D0 00000000:0000 07 00000000:00001A00"
  const line = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .find((text) => text.includes(`:${hexPort} 00000000:0000`));
  const queue = line?.trim().split(/\s+/)[4]?.split(':')[1];
  return queue === undefined ? 0 : Number.parseInt(queue, 16);
}
