/**
 * `npm run bench:test-kit`: measures how soon tests that run at once get the traces that they wait for. `-- --only KIND`
 * measures only waits by `id`, `scoped-filter` or `filter`.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { shareOpenray } from 'openray/testing';
import { describeMachine } from './figures.ts';
import { startWorkers, type WaitKind, type WaitLoad, type Workers } from './load/wait-load.ts';

const WORKERS = 8;
const TESTS = 200;
/** Longest time that a test spends on other work before each trace; two seconds on average. */
const PAUSE_MS = 4_000;
const P99_MAX_MS = 200;
const KINDS: readonly (readonly [WaitKind, string])[] = [
  ['id', 'by id'],
  ['scoped-filter', 'by a filter, in scopes'],
  ['filter', 'by a filter, without scopes'],
];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const kinds = KINDS.filter(([kind]) => values.only === undefined || kind === values.only);

const stop = await shareOpenray();
const started: Workers[] = [];
try {
  const [serverPid] = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
  if (serverPid === undefined) throw new Error('the server is not a child of this process');
  const alone = await startWorkers(1, serverPid);
  started.push(alone);
  const workers = await startWorkers(WORKERS, serverPid);
  started.push(workers);
  process.stdout.write(`${describeMachine()}, load ${loadText()}\n`);
  for (const [kind, label] of kinds) {
    const one = await alone.run({ kind, tests: 1, rounds: 40, pauseMs: 0 });
    print(`one test ${label}`, one, '');
    const all = { kind, tests: TESTS / WORKERS };
    const spread = await workers.run({ ...all, rounds: 4, pauseMs: PAUSE_MS });
    print(`${TESTS} tests at once ${label}`, spread, `${ratioText(spread, one)}, ${targetText(spread)}`);
    const burst = await workers.run({ ...all, rounds: 5, pauseMs: 0 });
    print(`${TESTS} tests without a pause ${label}`, burst, ratioText(burst, one));
  }
  process.stdout.write(`load at the end ${loadText()}\n`);
} finally {
  for (const workers of started) await workers.stop();
  await stop();
}

function print(label: string, { waits, perSecond, p50Ms, p99Ms, testMs, cpuMs }: WaitLoad, note: string): void {
  const times = `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`;
  const whole = `whole test ${testMs.toFixed(0)} ms, CPU of the server ${cpuMs.toFixed(1)} ms a test`;
  const count = `${waits} waits, ${perSecond.toFixed(0)} /s`;
  process.stdout.write(`${label.padEnd(54)} ${times}, ${whole}, ${count}${note && `; ${note}`}\n`);
}

function ratioText(many: WaitLoad, one: WaitLoad): string {
  return `p99 ${(many.p99Ms / one.p99Ms).toFixed(2)} x one test`;
}

function targetText({ p99Ms }: WaitLoad): string {
  return `p99 at most ${P99_MAX_MS} ms: ${p99Ms <= P99_MAX_MS ? 'yes' : 'NO'}`;
}

function loadText(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(1);
}
