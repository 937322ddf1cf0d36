/** `npm run bench:lambda`: measures how fast local functions start and run, and how soon their traces are complete. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOpenray } from 'openray/testing';
import { describeMachine } from './figures.ts';
import { type InvokeLoad, invokeLoad } from './load/invoke-load.ts';

const FUNCTION =
  'Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: index.handler, Runtime: nodejs20.x, Timeout: 20';
const COLD = 10;
const WARM = 500;
const CALLERS = [1, 10, 32, 100];
/** More callers may not lower the rate by more than this share: runs differ by about as much. */
const TOLERANCE = 0.2;
const SEEN = 30;

const folder = await mkdtemp(join(tmpdir(), 'openray-bench-'));
const names = Array.from({ length: COLD }, (_, i) => `Cold${i}`);
await writeFile(join(folder, 'index.js'), 'exports.handler = async () => 1;\n');
const functions = [
  ...names.map((name) => `  ${name}: {${FUNCTION}, Tracing: Active}}`),
  `  Warm: {${FUNCTION}, Tracing: Active}}`,
];
await writeFile(join(folder, 'template.yaml'), `Resources:\n${functions.join('\n')}\n`);

const startMs = performance.now();
const openray = await startOpenray({ template: join(folder, 'template.yaml') });
const readyMs = performance.now() - startMs;
try {
  const bareMs = median(times(COLD, () => execFileSync(process.execPath, ['-e', '1'], { stdio: 'ignore' })));
  const coldMs = median(await timesOf(names.map((name) => () => openray.invoke(name))));

  await openray.invoke('Warm');
  const oneMs = median(await timesOf(Array.from({ length: WARM }, () => () => openray.invoke('Warm'))));
  const loads: InvokeLoad[] = [];
  for (const callers of CALLERS) loads.push(await invokeLoad(openray.url, 'Warm', callers));

  const seen: number[] = [];
  for (let i = 0; i < SEEN; i++) {
    const { trace } = await openray.invoke('Warm');
    const returnedMs = performance.now();
    await trace();
    seen.push(performance.now() - returnedMs);
  }
  const rows: readonly (readonly [string, string, string])[] = [
    ['openray/testing ready', `${readyMs.toFixed(0)} ms`, 'about a second'],
    ['bare node, start to end', `${bareMs.toFixed(0)} ms`, ''],
    ['cold invocation of a trivial handler', `${coldMs.toFixed(0)} ms`, `${(coldMs / bareMs).toFixed(2)} x bare node`],
    ['warm invocation, one after the other', `${oneMs.toFixed(2)} ms`, ''],
    ...loads.map((load, i) => loadRow(load, loads.slice(0, i))),
    ['complete trace after return, median', `${median(seen).toFixed(0)} ms`, ''],
    [
      'complete trace after return, slowest',
      `${Math.max(...seen).toFixed(0)} ms`,
      Math.max(...seen) <= 500 ? 'at most 500: yes' : 'at most 500: NO',
    ],
  ];
  process.stdout.write(`${describeMachine()}\n`);
  for (const [label, value, note] of rows) process.stdout.write(`${label.padEnd(40)} ${value.padStart(10)}  ${note}\n`);
} finally {
  await openray.close();
  await rm(folder, { recursive: true, force: true });
}

/** A rate that rises with the callers, then stays. */
function loadRow(load: InvokeLoad, before: readonly InvokeLoad[]): readonly [string, string, string] {
  const { callers, perSecond, p99Ms, failures, machineLoad } = load;
  const stays = perSecond >= Math.max(0, ...before.map((other) => other.perSecond)) * (1 - TOLERANCE);
  const notes = [`p99 ${p99Ms.toFixed(0)} ms`, `failures ${failures}`, `rises or stays: ${stays ? 'yes' : 'NO'}`];
  const label = `Invoke API, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
  return [label, `${perSecond.toFixed(0)} /s`, `${notes.join(', ')}, load of the machine ${machineLoad.toFixed(1)}`];
}

function times(count: number, run: () => unknown): readonly number[] {
  return Array.from({ length: count }, () => {
    const beganMs = performance.now();
    run();
    return performance.now() - beganMs;
  });
}

async function timesOf(runs: readonly (() => Promise<unknown>)[]): Promise<readonly number[]> {
  const took: number[] = [];
  for (const run of runs) {
    const beganMs = performance.now();
    await run();
    took.push(performance.now() - beganMs);
  }
  return took;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
