import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';

const REAPER = fileURLToPath(new URL('orphan-reaper.ts', import.meta.url));

/** Guards a process that exits, then one in an endless loop, which starts another loop outside of its group. */
const HOST = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { reapWhenOrphaned } from '${REAPER}';
const LOOP = 'setsid sh -c "while :; do sleep 1; done" & echo $! >> pids; echo $$ >> pids; while :; do :; done';
const start = (script) => {
  const child = spawn('/bin/sh', ['-c', script], { cwd: process.argv[2], detached: true, stdio: 'ignore' });
  reapWhenOrphaned(child);
  return child;
};
start('exit 0').once('exit', () => {
  start(LOOP);
  writeFileSync(process.argv[2] + '/guarded', '');
  setInterval(() => {}, 1000);
});
`;

test('a guarded process and its descendants end when the host is killed', async () => {
  const dir = await writeFiles({ 'host.mts': HOST, pids: '' });
  const host = spawn(process.execPath, ['--import', 'tsx', `${dir}/host.mts`, dir], { stdio: 'inherit' });
  const pids = () => readFileSync(`${dir}/pids`, 'utf8').trim().split('\n').filter(Boolean).map(Number);
  await expect.poll(() => [existsSync(`${dir}/guarded`), ...pids().map(isRunning)]).toEqual([true, true, true]);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await expect.poll(() => pids().map(isRunning)).toEqual([false, false]);
});
