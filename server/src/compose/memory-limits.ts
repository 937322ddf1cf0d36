import { totalmem } from 'node:os';
import type { Config } from '../config.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** Of the whole budget. The rest is for Node, caches of documents and answers. */
const ENGINE_SHARE = 0.5;
const QUERY_SHARE = 0.25;
const REQUESTS_SHARE = 0.15;
const QUEUE_SHARE = 0.05;
const RECENT_SHARE = 0.05;
/** A few seconds of full load. */
const MAX_RECENT_BYTES = 64 * MiB;

/** Without a setting and without a limit of the container, openray takes a part of the machine. */
const MACHINE_SHARE = 0.5;
const DEFAULT_MAX_BYTES = 4 * GiB;

export type MemoryLimits = {
  readonly totalBytes: number;
  /** See MemoryBudget. */
  readonly requestBytes: number;
  readonly queueBytes: number;
  /** Of the newest documents, which the roll-up has in memory. */
  readonly recentBytes: number;
  readonly engineBytes: number;
  readonly queryBytes: number;
};

/** Shares of one budget; a setting of a part can make this part smaller, not larger. */
export function memoryLimits(
  config: Pick<Config, 'memoryMaxBytes' | 'queueMaxBytes' | 'engineMaxMemoryBytes' | 'queryMaxMemoryBytes'>,
  available: AvailableMemory = availableMemory(),
): MemoryLimits {
  const totalBytes = config.memoryMaxBytes ?? defaultBytes(available);
  const share = (part: number) => Math.floor(totalBytes * part);
  return {
    totalBytes,
    requestBytes: share(REQUESTS_SHARE),
    queueBytes: Math.min(config.queueMaxBytes, share(QUEUE_SHARE)),
    recentBytes: Math.min(MAX_RECENT_BYTES, share(RECENT_SHARE)),
    engineBytes: Math.min(config.engineMaxMemoryBytes, share(ENGINE_SHARE)),
    queryBytes: Math.min(config.queryMaxMemoryBytes, share(QUERY_SHARE)),
  };
}

export type AvailableMemory = {
  readonly machineBytes: number;
  /** Limit of the cgroup, in either version; 0 or more than the machine has when there is none. */
  readonly cgroupBytes: number;
};

function availableMemory(): AvailableMemory {
  return { machineBytes: totalmem(), cgroupBytes: process.constrainedMemory() };
}

function defaultBytes({ machineBytes, cgroupBytes }: AvailableMemory): number {
  const isLimited = cgroupBytes > 0 && cgroupBytes < machineBytes;
  return isLimited ? cgroupBytes : Math.min(Math.floor(machineBytes * MACHINE_SHARE), DEFAULT_MAX_BYTES);
}
