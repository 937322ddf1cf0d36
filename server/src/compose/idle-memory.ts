import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** A check takes some microseconds. */
const CHECK_INTERVAL_MS = 10_000;
/** Share of the time since the last check for which the event loop of an idle server runs, at most. */
const IDLE_UTILIZATION = 0.02;
/** A collection holds up the process for a tenth of a second, so that it has to free this much. */
const WORTH_BYTES = 64 * 1024 * 1024;

export type IdleMemory = {
  /** Collects the garbage if the server was idle since the last call, and has grown since the last collection. */
  collectIfIdle(): Promise<boolean>;
};

/** `utilization` is that of the event loop since its last call, from 0 to 1. */
export function newIdleMemory(utilization: () => number = newUtilization()): IdleMemory {
  let collectedBytes = heapBytes();
  return {
    async collectIfIdle() {
      if (utilization() > IDLE_UTILIZATION || heapBytes() - collectedBytes < WORTH_BYTES) return false;
      await collectGarbage();
      collectedBytes = heapBytes();
      return true;
    },
  };
}

/**
 * Returns the memory of a burst to the system once it is over. V8 collects garbage only while a program allocates: an
 * idle server would keep hundreds of megabytes, half of them an empty young generation, until the next burst.
 */
export function startIdleMemory(): { stop(): void } {
  const { collectIfIdle } = newIdleMemory();
  const stop = () => clearInterval(timer);
  // A Node without an inspector keeps its garbage.
  const timer = setInterval(() => void collectIfIdle().catch(stop), CHECK_INTERVAL_MS).unref();
  return { stop };
}

/** With buffers outside of the heap, which are freed with their objects. */
function heapBytes(): number {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

function newUtilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** As V8 does when the system is low on memory: `gc()` would keep the young generation at its size, and needs a flag. */
async function collectGarbage(): Promise<void> {
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  await new Promise((resolve) => session.post('HeapProfiler.collectGarbage', resolve));
  session.disconnect();
}
