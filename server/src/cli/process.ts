import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ServerProcess } from '../compose/process.ts';
import { MANIFEST } from '../package/files.ts';

const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as {
  version: string;
};

export const version = manifest.version;

/** The server's view of this process. libuv has four threads unless UV_THREADPOOL_SIZE says otherwise. */
export function thisProcess(log: Logger): ServerProcess {
  const threadPoolSize = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
  return { log, version, threadPoolSize, environmentVariables: process.env };
}
