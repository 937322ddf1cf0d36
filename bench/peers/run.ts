/** `npm run bench:peers`: openray beside other tracing servers, one after the other. Options: see USAGE. */
import { spawn, spawnSync } from 'node:child_process';
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
  --json FILE                also append one line of JSON for each server
Needs Linux, and Go to build the load generator. How to get the others: docs/how-to/compare-with-peers.md
`;

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
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  if (process.platform !== 'linux') fail('the comparison reads CPU time and memory from Linux’s /proc');
  const numbers = numbersOf();
  buildGenerator();
  const candidates: readonly Candidate[] = [
    openray('otlp'),
    ...(flags.xray ? [openray('xray')] : []),
    ...(flags['victoria-traces'] === undefined ? [] : [victoriaTraces(flags['victoria-traces'])]),
    ...(flags.jaeger === undefined ? [] : [jaeger(flags.jaeger)]),
    ...(flags.zipkin === undefined ? [] : [zipkin(flags.zipkin)]),
  ];
  const measured: Measured[] = [];
  for (const candidate of candidates) {
    const result = { name: candidate.name, figures: await measure(candidate, numbers) };
    measured.push(result);
    if (flags.json === undefined) continue;
    const facts = { ...numbers, machine: describeMachine(), date: new Date().toISOString() };
    appendFileSync(flags.json, `${JSON.stringify({ ...result, ...facts })}\n`);
  }
  process.stdout.write(`${comparison(measured)}\n`);
  // Wrong answers of the others are a fact about them; those of openray are a bug.
  const isRight = measured.every(
    ({ name, figures }) => !name.startsWith('openray') || figures.every(({ wrong }) => wrong === undefined),
  );
  process.exit(isRight ? 0 : 1);
}

type Numbers = Readonly<Record<'traces' | 'warm-traces' | 'connections' | 'samples' | 'light-seconds', number>>;

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
  };
}

function buildGenerator(): void {
  if (spawnSync('go', ['version']).status !== 0) fail('there is no go to build the load generator with');
  const args = ['build', '-buildvcs=false', '-o', BUILT, '.'];
  const { status } = spawnSync('go', args, { cwd: GENERATOR, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`go cannot build ${GENERATOR}`);
}

async function measure(candidate: Candidate, numbers: Numbers): Promise<readonly PeerFigure[]> {
  process.stderr.write(`${candidate.name} …\n`);
  const folder = await mkdtemp(join(tmpdir(), 'openray-peers-'));
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, onSignal);
  let server: Server | undefined;
  try {
    server = await candidate.start(folder, (numbers.traces + numbers['warm-traces']) * 10);
    const figures = await runGenerator(server, numbers, stop.signal);
    // A server that has stopped has written all of its memory.
    await server.stop();
    return [...figures, ...(server.keepsFiles ? [diskFigure(await bytesBelow(folder), figures)] : [])];
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
  }
}

async function runGenerator(server: Server, numbers: Numbers, signal: AbortSignal): Promise<readonly PeerFigure[]> {
  const { pid, format, ingestUrl, api, queryUrl } = server;
  const args = [
    ...['-pid', String(pid), '-format', format, '-ingest-url', ingestUrl, '-api', api, '-query-url', queryUrl],
    ...Object.entries(numbers).flatMap(([name, value]) => [`-${name}`, String(value)]),
  ];
  const child = spawn(BUILT, args, { stdio: ['ignore', 'pipe', 'inherit'], signal });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  return JSON.parse(printed) as readonly PeerFigure[];
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

function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}
