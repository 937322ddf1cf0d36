import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { removeFolder, temporaryFolder } from './support/server.ts';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const flags = ['--rounds', '1', '--rate', '500'];

/** Runs `npm run test:kills` with one kill, and returns its table. It fails when a document is lost or doubled. */
async function runKills(...more: readonly string[]): Promise<string> {
  const state = await temporaryFolder();
  onTestFinished(() => removeFolder(state));
  const args = ['--import', 'tsx', 'scripts/kills/main.ts', ...flags, '--state', state, ...more];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
  return stdout;
}

test.runIf(process.platform === 'linux')('a power loss with fsync loses no acknowledged document', async () => {
  const table = await runKills('--victims', 'power');
  expect(table).toMatch(/^power +1 times, acknowledges after p50 \d+ ms/m);
  expect(table).toMatch(/^lost +0$/m);
  expect(table).toMatch(/^duplicated +0$/m);
});
