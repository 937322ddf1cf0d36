import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const hasGo = process.platform === 'linux' && spawnSync('go', ['version']).status === 0;
const options = { encoding: 'utf8', timeout: 170_000 } as const;
const folderOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test.skipIf(!hasGo)('the tests of the load generator pass', () => {
  const cwd = folderOf('../bench/peers/load');
  const { status, stdout, stderr } = spawnSync('go', ['test', '-buildvcs=false', './...'], { ...options, cwd });
  expect(stdout + stderr).toMatch(/^ok/);
  expect(status).toBe(0);
});

test.skipIf(!hasGo)('openray gives the right answers to all questions of the comparison', () => {
  const small = '--traces 100 --warm-traces 0 --samples 2';
  const short = '--light-seconds 0 --steady-spans 1000 --steady-seconds 1 --rest-seconds 0';
  const args = ['--import', 'tsx', 'bench/peers/run.ts', '--xray', ...`${small} ${short}`.split(' ')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { ...options, cwd: folderOf('..') });
  for (const line of [
    'openray: starting',
    'asking for the trace by id',
    'trace by id, p50: .* ms',
    'openray, X-Ray: done',
  ]) {
    expect(stderr).toMatch(new RegExp(line));
  }
  expect(stdout).not.toContain('wrong');
  for (const figure of [
    'ingest under full load',
    'service map of all traces, p95',
    '1000 spans a second over 32 connections, acknowledge, p99',
    'on disk',
  ]) {
    expect(stdout).toMatch(new RegExp(`^\\| ${figure}, \\S+ +\\| +[\\d,.]+ \\| +[\\d,.]+ \\|`, 'm'));
  }
  expect(status).toBe(0);
});
