/**
 * `openray/testing/global-setup`: one server for a whole run of tests, with the functions of the template in the working
 * directory. `globalSetup` of vitest and jest; `--test-global-setup` of node:test from Node 24 on.
 */
import { defaultTemplate, shareOpenray } from './shared-server.ts';

/** vitest calls the returned function at the end; jest ignores it, and the server ends with jest's process. */
export default function startShared(): Promise<() => Promise<void>> {
  const template = defaultTemplate();
  return shareOpenray(template === undefined ? {} : { template });
}

let stop: (() => Promise<void>) | undefined;

/** Called by node:test. */
export async function globalSetup(): Promise<void> {
  stop = await startShared();
}

/** Called by node:test. */
export async function globalTeardown(): Promise<void> {
  await stop?.();
}
