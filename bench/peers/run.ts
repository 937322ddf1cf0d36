/** `npm run bench:peers`: openray beside other tracing servers, one after the other. Options: see USAGE. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../figures.ts';
import { comparison, type Measured, type PeerFigure } from './ratios.ts';
import { type Candidate, jaeger, openray, type Server, victoriaTraces, zipkin } from './servers.ts';

const USAGE = `npm run bench:peers [-- OPTIONS]
  --jaeger PROGRAM           Jaeger, version 2
  --zipkin JAR               Zipkin's server, run with java
  --victoria-traces PROGRAM  VictoriaTraces
  --xray                     also openray with X-Ray's documents and API
  --traces N                 number of traces to load, ten spans each (50000)
  --warm-traces N            traces to send before the measurement (a fifth of --traces)
  --connections N            connections; each waits for its acknowledgement (8)
  --samples N                times that each question is asked (50)
  --light-seconds N          seconds of light load (15)
  --steady-spans N           spans a second under steady load, over 32 connections (20000)
  --steady-seconds N         seconds of steady load (10)
  --idle-seconds N           most seconds to wait until a server is idle, four times for each (120)
  --rest-seconds N           seconds before the stop, in which a server deletes what it has merged (45)
  --json FILE                also append one line of JSON for each server
Prints each step and figure at once, and the table at the end. Ctrl-C ends the run and prints the figures so far.
Needs Linux, and Go to build the load generator. How to get the others: docs/how-to/compare-with-peers.md
`;

/** The exit code of a program that SIGINT ended. */
const INTERRUPTED = 130;

const GENERATOR = fileURLToPath(new URL('load', import.meta.url));
const BUILT = fileURLToPath(new URL('../../node_modules/.cache/openray-peers/load', import.meta.url));

const { values: flags } = parseArgs({
  options: {
    jaeger: { type: 'string' },
    zipkin: { type: 'string' },
    'victoria-traces': { type: 'string' },
    xray: { type: 'boolean', default: false },
    traces: { type: 'string', default: '50000' },
    'warm-traces': { type: 'string' },
    connections: { type: 'string', default: '8' },
    samples: { type: 'string', default: '50' },
    'light-seconds': { type: 'string', default: '15' },
    'steady-spans': { type: 'string', default: '20000' },
    'steady-seconds': { type: 'string', default: '10' },
    'idle-seconds': { type: 'string', default: '120' },
    'rest-seconds': { type: 'string', default: '45' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  if (process.platform !== 'linux') fail('the comparison reads CPU time and memory from Linux’s /proc');
  const numbers = numbersOf();
  // A terminal, npm and tsx each send the signal: the second one is the same Ctrl-C.
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  await buildGenerator(stop.signal);
  const candidates: readonly Candidate[] = [
    openray('otlp'),
    ...(flags.xray ? [openray('xray')] : []),
    ...(flags['victoria-traces'] === undefined ? [] : [victoriaTraces(flags['victoria-traces'])]),
    ...(flags.jaeger === undefined ? [] : [jaeger(flags.jaeger)]),
    ...(flags.zipkin === undefined ? [] : [zipkin(flags.zipkin)]),
  ];
  const measured: Measured[] = [];
  for (const candidate of candidates) {
    if (stop.signal.aborted) break;
    const result = await measure(candidate, numbers, stop);
    measured.push(result);
    if (flags.json === undefined) continue;
    const facts = { ...numbers, machine: describeMachine(), date: new Date().toISOString() };
    appendFileSync(flags.json, `${JSON.stringify({ ...result, ...facts })}\n`);
  }
  process.stdout.write(`${comparison(measured)}\n`);
  if (stop.signal.aborted) process.exit(INTERRUPTED);
  process.exit(measured.every(isRight) ? 0 : 1);
}

/** Wrong answers of the others are a fact about them; those of openray are a bug. */
function isRight({ name, figures, failure }: Measured): boolean {
  if (failure !== undefined) return false;
  return !name.startsWith('openray') || figures.every(({ wrong }) => wrong === undefined);
}

type Load = 'traces' | 'warm-traces' | 'connections' | 'light-seconds' | 'steady-spans' | 'steady-seconds';
type Numbers = Readonly<Record<Load | 'samples' | 'idle-seconds' | 'rest-seconds', number>>;

function numbersOf(): Numbers {
  const wholeNumber = (name: keyof Numbers, least: number, otherwise = 0) => {
    const value = flags[name] === undefined ? otherwise : Number(flags[name]);
    if (!Number.isSafeInteger(value) || value < least) fail(`--${name} takes a whole number from ${least} on`);
    return value;
  };
  const traces = wholeNumber('traces', 100);
  return {
    traces,
    'warm-traces': wholeNumber('warm-traces', 0, Math.ceil(traces / 5)),
    connections: wholeNumber('connections', 1),
    samples: wholeNumber('samples', 1),
    'light-seconds': wholeNumber('light-seconds', 0),
    'steady-spans': wholeNumber('steady-spans', 0),
    'steady-seconds': wholeNumber('steady-seconds', 0),
    'idle-seconds': wholeNumber('idle-seconds', 1),
    'rest-seconds': wholeNumber('rest-seconds', 0),
  };
}

async function buildGenerator(signal: AbortSignal): Promise<void> {
  report('building the load generator');
  const args = ['build', '-buildvcs=false', '-o', BUILT, '.'];
  const child = spawn('go', args, { cwd: GENERATOR, stdio: ['ignore', 2, 2] });
  const [code] = await once(child, 'close').catch(() => fail('there is no go to build the load generator with'));
  if (signal.aborted) process.exit(INTERRUPTED);
  if (code !== 0) fail(`go cannot build ${GENERATOR}`);
}

/** Never throws: when a server fails or the run ends early, the result has the figures so far. */
async function measure({ name, start }: Candidate, numbers: Numbers, stop: AbortController): Promise<Measured> {
  const beganMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'openray-peers-'));
  let server: Server | undefined;
  let figures: readonly PeerFigure[] = [];
  let failure: string | undefined;
  try {
    report(`${name}: starting`);
    server = await start(folder, (numbers.traces + numbers['warm-traces']) * 10);
    const { code, ...generated } = await runGenerator(server, numbers, stop.signal);
    figures = generated.figures;
    report(`${name}: stopping`);
    // A server that has stopped has written all of its memory.
    await server.stop();
    // Ctrl-C reaches the generator by itself, before or after this process.
    if (code === INTERRUPTED) stop.abort();
    else if (code !== 0) failure = `the load generator ended with ${code}`;
    else if (server.keepsFiles) figures = [...figures, diskFigure(await bytesBelow(folder), figures)];
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
  if (stop.signal.aborted) failure = 'interrupted';
  report(`${name}: ${failure ?? 'done'} after ${Math.round((performance.now() - beganMs) / 1000)} s`);
  return { name, figures, ...(failure !== undefined && { failure }) };
}

type Generated = { readonly code: number | null; readonly figures: readonly PeerFigure[] };

/** The generator prints each step and figure to standard error at once. After a signal it prints the figures so far. */
async function runGenerator(server: Server, numbers: Numbers, signal: AbortSignal): Promise<Generated> {
  const { pid, format, ingestUrl, api, queryUrl } = server;
  const args = [
    ...['-pid', String(pid), '-format', format, '-ingest-url', ingestUrl, '-api', api, '-query-url', queryUrl],
    ...Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)]),
  ];
  if (signal.aborted) return { code: INTERRUPTED, figures: [] };
  const child = spawn(BUILT, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const onAbort = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', onAbort);
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', onAbort);
  return { code, figures: printed === '' ? [] : (JSON.parse(printed) as readonly PeerFigure[]) };
}

function diskFigure(bytes: number, figures: readonly PeerFigure[]): PeerFigure {
  const spans = figures.find(({ name }) => name === 'spans')?.value ?? Number.NaN;
  return { name: 'disk', description: 'on disk', unit: 'bytes/span', value: bytes / spans, better: 'less' };
}

/** Allocated bytes of all files below a folder: a file with holes counts with its blocks. */
async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  return (await Promise.all(files)).reduce((sum, { blocks }) => sum + 512 * blocks, 0);
}

function report(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}
