import { readFileSync } from 'node:fs';
import type { ProcessUsage } from '../engine.ts';

/** Ticks a second of the CPU times in /proc: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** Undefined when the process has ended, and on a system without /proc. */
export function processUsage(pid: number | undefined): ProcessUsage | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15 of the line.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user = 0, system = 0] = [fields[11], fields[12]].map((ticks) => Number(ticks) / TICKS_PER_SECOND);
    return kilobytes === undefined
      ? undefined
      : { residentBytes: Number(kilobytes) * 1024, cpuSeconds: { user, system } };
  } catch {
    return undefined;
  }
}
