import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { ServerProcess } from '../compose/process.ts';
import { MANIFEST } from '../package/files.ts';

const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as {
  version: string;
};

export const version = manifest.version;

/** The server's view of this process. */
export function thisProcess(log: Logger): ServerProcess {
  return { log, version, environmentVariables: process.env };
}
