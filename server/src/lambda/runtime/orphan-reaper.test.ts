import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';
import { startReaped } from './orphan-reaper.ts';

const REAPER = fileURLToPath(new URL('orphan-reaper.ts', import.meta.url));

/** Guards a process that exits, then one in an endless loop, which starts another loop outside of its group. */
const HOST = `
import { writeFileSync } from 'node:fs';
import { startReaped } from '${REAPER}';
const LOOP = 'setsid sh -c "while :; do sleep 1; done" & echo $! >> pids; echo $$ >> pids; while :; do :; done';
const start = (script) => startReaped(['/bin/sh', '-c', script], { cwd: process.argv[2], env: process.env });
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

/** Is killed right after it has started a child: before the reaper knows of the child. */
const KILLED_HOST = `
import childProcess from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { startReaped } from '${REAPER}';
const cwd = process.argv[2];
const { spawn } = childProcess;
childProcess.spawn = (...args) => {
  const child = spawn(...args);
  writeFileSync(cwd + '/pid', String(child.pid));
  process.kill(process.pid, 'SIGKILL');
  return child;
};
syncBuiltinESMExports();
startReaped(['/bin/sh', '-c', ': > started; while :; do sleep 1; done'], { cwd, env: process.env });
`;

test('a program whose host is killed before the reaper knows of it never runs', async () => {
  const dir = await writeFiles({ 'host.mts': KILLED_HOST });
  const host = spawn(process.execPath, ['--import', 'tsx', `${dir}/host.mts`, dir], { stdio: 'inherit' });
  await once(host, 'exit');
  expect(host.signalCode).toBe('SIGKILL');
  await expect.poll(() => isRunning(Number(readFileSync(`${dir}/pid`, 'utf8')))).toBe(false);
  expect(existsSync(`${dir}/started`)).toBe(false);
});

test('a program gets the arguments and variables as they are, an empty input, and one pipe for both outputs', async () => {
  const dir = await writeFiles({});
  const script = 'echo "$1 $WORD"; echo "error" >&2; cat; env | cut -d= -f1 | sort | tr "\\n" " "';
  const child = startReaped(['/bin/sh', '-c', script, 'sh', 'a  $b'], {
    cwd: dir,
    env: { WORD: 'w', PATH: '/usr/bin:/bin' },
  });
  child.stdout?.setEncoding('utf8');
  let output = '';
  child.stdout?.on('data', (chunk: string) => (output += chunk));
  await once(child, 'close');
  expect(output.split('\n').slice(0, 2)).toEqual(['a  $b w', 'error']);
  expect(output).not.toContain('OPENRAY_START');
});
