import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { toFailure } from '../errors.ts';
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

const POLL_MS = 250;

/**
 * Repeats `poll` until SIGINT or SIGTERM, also while the server does not answer, as during a restart: the reason is
 * printed once. Throws the failure of the first call, and every failure of another kind.
 */
export async function followServer(poll: () => Promise<void>): Promise<void> {
  await poll();
  let isAway = false;
  while (!(await isStoppedWithin(POLL_MS))) {
    const reason = await poll().then(() => undefined, unavailableReason);
    if (reason !== undefined && !isAway) process.stderr.write(`openray: ${reason}; trying again\n`);
    if (reason === undefined && isAway) process.stderr.write('openray: the server answers again\n');
    isAway = reason !== undefined;
  }
}

function unavailableReason(thrown: unknown): string {
  const failure = toFailure(thrown);
  if (failure.code !== 'ServiceUnavailable') throw thrown;
  return failure.message;
}

/** Resolves with false after `ms`, or with true on SIGINT or SIGTERM. */
function isStoppedWithin(ms: number): Promise<boolean> {
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
