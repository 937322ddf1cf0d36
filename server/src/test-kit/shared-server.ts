import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { type OpenrayOptions, type ServerAddress, startServer } from './server-process.ts';

/** How test files, which run in processes of their own, hear of the server of their run. */
const VARIABLE = 'OPENRAY_TEST_SERVER';

type SharedServer = ServerAddress & {
  /** Absolute; absent when the server runs no functions. */
  readonly template?: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
};

/**
 * Starts one server for a whole run of tests: every `startOpenray` of this process, and of the processes that it starts
 * from then on, joins it. For a runner's global set-up. The returned function stops the server; without a call the
 * server ends with this process.
 * Throws SettingInvalid with the server's output when it does not start.
 */
export async function shareOpenray(options: OpenrayOptions = {}): Promise<() => Promise<void>> {
  const { child, close, url, daemonAddress } = await startServer(options);
  const shared: SharedServer = {
    url,
    daemonAddress,
    settings: options.settings ?? {},
    ...(options.template === undefined ? {} : { template: resolve(options.template) }),
  };
  const environment = testEnvironment();
  environment[VARIABLE] = JSON.stringify(shared);
  // A runner without a tear-down ends when its own work is done; then there is time to remove the folder.
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket | null)?.unref();
  const stop = async () => {
    process.off('beforeExit', stop);
    delete environment[VARIABLE];
    await close();
  };
  process.once('beforeExit', stop);
  return stop;
}

/** The server of the run, if there is one and it is what the options ask for. */
export function sharedServerFor({ template, dataDir, port, settings, env }: OpenrayOptions): ServerAddress | undefined {
  const text = testEnvironment()[VARIABLE];
  if (text === undefined || dataDir !== undefined || port !== undefined || env !== undefined) return undefined;
  const shared = JSON.parse(text) as SharedServer;
  const hasTemplate = template === undefined || resolve(template) === shared.template;
  const hasSettings = Object.entries(settings ?? {}).every(([name, value]) => shared.settings[name] === value);
  return hasTemplate && hasSettings ? shared : undefined;
}

/** The template of a run that names none: OPENRAY_TEMPLATE, or the file that SAM reads by default. */
export function defaultTemplate(): string | undefined {
  const named = testEnvironment().OPENRAY_TEMPLATE;
  return named ?? ['template.yaml', 'template.yml', 'template.json'].find((name) => existsSync(name));
}

function testEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: the one channel that all runners pass from their set-up to test files
  return process.env;
}
