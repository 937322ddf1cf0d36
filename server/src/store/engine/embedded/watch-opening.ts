import { processWork } from './process-usage.ts';

export type OpeningWatch = {
  /** Between two checks of the process. */
  readonly intervalMs: number;
  /** Number of checks in a row that find the process idle, after which it counts as stuck. */
  readonly maxIdle: number;
};

/** 30 s without work. An engine that loads a large store uses the processor or the disk in each second. */
export const OPENING_WATCH: OpeningWatch = { intervalMs: 1_000, maxIdle: 30 };
/** Without /proc the work of a process is unknown: time alone decides, 20 times as much. */
const BLIND_FACTOR = 20;
/** Threads in the background of an engine that waits use less than 1 % of a processor. */
const IDLE_SHARE = 0.02;

/**
 * Calls `onStuck` once when the process has done nothing for too long. Checks are counted instead of time: a pause of
 * this process, or of the machine, has at most one check. Returns a function that ends the watch.
 */
export function watchOpening(
  pid: number | undefined,
  onStuck: (seconds: number) => void,
  { intervalMs, maxIdle }: OpeningWatch,
): () => void {
  let before = processWork(pid);
  let idle = 0;
  const timer = setInterval(() => {
    const now = processWork(pid);
    const limit = now === undefined ? maxIdle * BLIND_FACTOR : maxIdle;
    const hasWorked =
      before !== undefined &&
      now !== undefined &&
      (now.cpuMs - before.cpuMs > intervalMs * IDLE_SHARE || now.diskBytes > before.diskBytes);
    idle = hasWorked ? 0 : idle + 1;
    before = now;
    if (idle < limit) return;
    clearInterval(timer);
    onStuck((limit * intervalMs) / 1000);
  }, intervalMs);
  return () => clearInterval(timer);
}
