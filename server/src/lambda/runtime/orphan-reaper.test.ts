import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-functions.ts';
import { isRunning } from '../testing/processes.ts';

const GUARD = fileURLToPath(new URL('orphan-reaper.ts', import.meta.url));

/** Starts loops that never look up: one that goes on, one that ends in time, one below each outside of its group. */
const HOST = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { guard } from '${GUARD}';
const LOOP = 'setsid sh -c "while :; do sleep 1; done" & echo $! >> pids; echo $$ >> pids; while :; do :; done';
const start = (script) => {
  const child = spawn('/bin/sh', ['-c', script], { cwd: process.argv[2], detached: true, stdio: 'ignore' });
  guard(child);
  return child;
};
start('exit 0').once('exit', () => {
  start(LOOP);
  writeFileSync(process.argv[2] + '/guarded', '');
  setInterval(() => {}, 1000);
});
`;

test('what is guarded ends with a host that is killed, with all that it has started', async () => {
  const dir = await writeFiles({ 'host.mts': HOST, pids: '' });
  const host = spawn(process.execPath, ['--import', 'tsx', `${dir}/host.mts`, dir], { stdio: 'inherit' });
  const pids = () => readFileSync(`${dir}/pids`, 'utf8').trim().split('\n').filter(Boolean).map(Number);
  await expect.poll(() => [existsSync(`${dir}/guarded`), ...pids().map(isRunning)]).toEqual([true, true, true]);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await expect.poll(() => pids().map(isRunning)).toEqual([false, false]);
});
