import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import type { BackupLine } from '../api/openray/back-up.ts';
import { restoreFromBackup } from '../compose/restore.ts';
import { loadConfig } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { readEndpointUrl } from './endpoint-url.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';
import { ENDPOINT_URL, targetServerAt } from './target-server.ts';

type BackupFlags = Readonly<Record<string, unknown>> & { readonly endpointUrl?: string; readonly config?: string };

/** `openray backup`: backs up a running server, else the store of the settings. A running server stays available. */
export function backupCommand(done: (exitCode: number) => void): Command {
  return new Command('backup')
    .argument('[name]', 'name of the backup (default: the time)')
    .option('--endpoint-url <url>', ENDPOINT_URL, readEndpointUrl)
    .action(async (name: string | undefined, flags: BackupFlags) => {
      await runBackup(name ?? backupNameAt(new Date()), flags);
      done(0);
    });
}

/** `openray restore`: restores a backup into a new data directory or database. */
export function restoreCommand(done: (exitCode: number) => void): Command {
  return new Command('restore')
    .argument('<name>', 'name of the backup')
    .action(async (name: string, flags: BackupFlags) => {
      await runRestore(name, flags);
      done(0);
    });
}

/** `2026-05-24T14-13-20Z` */
function backupNameAt(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

async function runBackup(name: string, flags: BackupFlags): Promise<void> {
  const { config } = loadConfig(flags, process.env, flags.config);
  const log = newLog(config.logLevel === 'info' ? 'error' : config.logLevel);
  const server = await targetServerAt(flags.endpointUrl, config, thisProcess(log));
  try {
    const response = await postBackup(`${server.url}/backup?${new URLSearchParams({ name })}`);
    let bytes = 0;
    let destination = '';
    for await (const text of createInterface({ input: Readable.fromWeb(response.body as never) })) {
      const line = JSON.parse(text) as BackupLine;
      if ('error' in line) throw new OpenrayError(line.error.code, line.error.message);
      bytes += line.bytes;
      destination = line.destination;
    }
    process.stdout.write(`backup ${name}: ${megabytes(bytes)} in ${destination}\n`);
  } finally {
    await server.close();
  }
}

async function postBackup(url: string): Promise<Response> {
  const response = await fetch(url, { method: 'POST' }).catch((cause: unknown) => {
    throw new OpenrayError('ServiceUnavailable', `there is no server at ${new URL(url).origin}`, { cause });
  });
  if (response.ok) return response;
  const { __type: code, Message } = (await response.json().catch(() => ({}))) as {
    __type?: OpenrayError['code'];
    Message?: string;
  };
  throw new OpenrayError(code ?? 'ServiceUnavailable', Message ?? `${response.status} from ${new URL(url).origin}`);
}

async function runRestore(name: string, flags: BackupFlags): Promise<void> {
  const { config } = loadConfig(flags, process.env, flags.config);
  const log = newLog(config.logLevel === 'info' ? 'error' : config.logLevel);
  let bytes = 0;
  for await (const copy of restoreFromBackup(config, thisProcess(log), name)) bytes += copy.bytes;
  const store = config.storeUrl === undefined ? config.dataDir : 'the ClickHouse of --store-url';
  process.stdout.write(`backup ${name}: ${megabytes(bytes)} restored into ${store}\n`);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
