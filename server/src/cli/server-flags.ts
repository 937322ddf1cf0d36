import type { Command } from 'commander';
import { loadConfig } from '../config.ts';

/** What commands take that ask a running openray. */
export type ServerFlags = Readonly<Record<string, unknown>> & {
  readonly endpointUrl?: string;
  readonly config?: string;
  readonly output: 'text' | 'json';
};

export function addServerFlags(command: Command): Command {
  return command.option('--endpoint-url <url>', 'a running openray (that of the settings)');
}

export function serverUrl(flags: ServerFlags): string {
  if (flags.endpointUrl !== undefined) return flags.endpointUrl;
  const { config } = loadConfig(flags, process.env, flags.config);
  return `http://${config.host}:${config.port}`;
}

/** Resolves after `ms`, or when the process is told to stop: then with true. */
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
