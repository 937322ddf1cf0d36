import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { type OpenrayOptions, type ServerAddress, startServer } from './server-process.ts';

/** The address of the shared server, for test files: runners start a process for each. */
const VARIABLE = 'OPENRAY_TEST_SERVER';

type SharedServer = ServerAddress & {
  /** Absolute; absent when the server runs no functions. */
  readonly template?: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
};

/**
 * Starts one server for a run of tests. For a runner's global set-up: each `startOpenray` uses the server, in this process
 * and in processes that it starts later. The returned function stops the server, which otherwise ends with this process.
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
  // A runner without a tear-down ends when its tests are done. `beforeExit` then removes the data folder.
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

/** The server of the run. Undefined when there is none, or the options need another template, folder or setting. */
export function sharedServerFor({ template, dataDir, port, settings, env }: OpenrayOptions): ServerAddress | undefined {
  const text = testEnvironment()[VARIABLE];
  if (text === undefined || dataDir !== undefined || port !== undefined || env !== undefined) return undefined;
  const shared = JSON.parse(text) as SharedServer;
  const hasTemplate = template === undefined || resolve(template) === shared.template;
  const hasSettings = Object.entries(settings ?? {}).every(([name, value]) => shared.settings[name] === value);
  return hasTemplate && hasSettings ? shared : undefined;
}

/** The template of a run without an explicit one: OPENRAY_TEMPLATE, or the file that SAM reads by default. */
export function defaultTemplate(): string | undefined {
  const named = testEnvironment().OPENRAY_TEMPLATE;
  return named ?? ['template.yaml', 'template.yml', 'template.json'].find((name) => existsSync(name));
}

function testEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: the one channel that all runners pass from their set-up to test files
  return process.env;
}
