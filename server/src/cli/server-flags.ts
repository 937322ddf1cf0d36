import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { readEndpointUrl } from './endpoint-url.ts';

/** Flags of the commands that call a running server. */
export type ServerFlags = Readonly<Record<string, unknown>> & {
  readonly endpointUrl?: string;
  readonly config?: string;
  readonly output: 'text' | 'json';
};

export function addServerFlags(command: Command): Command {
  const meaning = 'URL of a running server (default: host and port of the settings)';
  return command.option('--endpoint-url <url>', meaning, readEndpointUrl);
}

export function serverUrl(flags: ServerFlags): string {
  if (flags.endpointUrl !== undefined) return flags.endpointUrl;
  const { config } = loadConfig(flags, process.env, flags.config);
  return `http://${config.host}:${config.port}`;
}

/** Resolves with false after `ms`, or with true on SIGINT or SIGTERM. */
export function isStoppedWithin(ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = () => finish(true);
    const timer = setTimeout(() => finish(false), ms);
    const finish = (isStopped: boolean) => {
      clearTimeout(timer);
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve(isStopped);
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
