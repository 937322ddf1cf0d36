import { readFileSync } from 'node:fs';
import type { ProcessUsage } from '../engine.ts';

/** Ticks a second of the CPU times in /proc: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** Undefined when the process has ended, and on a system without /proc. */
export function processUsage(pid: number | undefined): ProcessUsage | undefined {
  try {
    const kilobytes = numberIn(pid, 'status', /^VmRSS:\s+(\d+) kB/m);
    return kilobytes === undefined ? undefined : { residentBytes: kilobytes * 1024, cpuSeconds: cpuSecondsOf(pid) };
  } catch {
    return undefined;
  }
}

/** What a process has done since its start. Undefined as for `processUsage`. */
export function processWork(
  pid: number | undefined,
): { readonly cpuMs: number; readonly diskBytes: number } | undefined {
  try {
    const { user, system } = cpuSecondsOf(pid);
    const [read = 0, written = 0] = [/^read_bytes: (\d+)/m, /^write_bytes: (\d+)/m].map((count) =>
      numberIn(pid, 'io', count),
    );
    return { cpuMs: (user + system) * 1000, diskBytes: read + written };
  } catch {
    return undefined;
  }
}

function numberIn(pid: number | undefined, file: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function cpuSecondsOf(pid: number | undefined): ProcessUsage['cpuSeconds'] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 of the line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = [fields[11], fields[12]].map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  return { user, system };
}
