/** `npm run test:soak`: an hour of mixed use with kills and a full disk. Options: see USAGE. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile } from '../../bench/load/latencies.ts';
import { residentBytesOf } from '../../bench/load/process-usage.ts';
import { readMetrics } from '../../bench/load/send.ts';
import { openTestStore } from '../../server/src/store/testing/open-test-store.ts';
import { freePort } from '../free-port.ts';
import { checkStore, type StoreCheck } from '../kills/check.ts';
import { type Sent, startLoad } from '../kills/load.ts';
import { engineOf } from '../kills/processes.ts';
import { type OpenrayProcess, startOpenray } from '../openray.ts';
import { type MemorySample, type MemoryTrend, memoryTrend } from './memory.ts';
import { type ReaderCounts, startReaders } from './readers.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const USAGE = `npm run test:soak [-- OPTIONS]
  --minutes N   length of the soak (60)
  --rate N      OTLP spans a second, beside X-Ray's documents over HTTP and UDP (2000)
  --disk-mb N   size of the disk of the data directory, in memory, which is filled once; needs root on Linux (4096)
The first 40 % have a kill every now and then, the next 10 % a full disk. Memory is measured in the last 40 %.
Exits with 1 when counts do not add up or memory grows.
`;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    'disk-mb': { type: 'string', default: '4096' },
    help: { type: 'boolean', default: false },
  },
});

const MINUTES_A_KILL = 5;
const KILLS_END = 0.4;
const DISK_END = 0.5;
const MEMORY_BEGIN = 0.6;
const SAMPLE_EVERY_MS = 1_000;
/** On a machine so busy that a short soak is over before its last part begins. */
const LEAST_SAMPLES = 30;
const CHANGE_WITHIN_MS = 300_000;

if (flags.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  if (process.platform !== 'linux') fail('the soak reads memory from Linux’s /proc');
  const minutes = positiveNumber('minutes');
  const folder = await mkdtemp(join(tmpdir(), 'openray-soak-'));
  const disk = mountSmallDisk(folder, positiveNumber('disk-mb'));
  if (disk === undefined) log('the disk is not filled: only root can mount one in memory');
  try {
    process.exitCode = await soak(join(folder, 'data'), disk, minutes);
  } finally {
    disk?.unmount();
    await rm(folder, { recursive: true, force: true });
  }
  process.exit();
}

/** Twelve in an hour. */
function killsIn(minutes: number): number {
  return Math.max(2, Math.round(minutes / MINUTES_A_KILL));
}

async function soak(dataDir: string, disk: SmallDisk | undefined, minutes: number): Promise<number> {
  const lengthMs = minutes * 60_000;
  const kills = killsIn(minutes);
  const [port, otlpPort] = [await freePort(), await freePort()];
  const ports = ['--port', String(port), '--otlp-http-port', String(otlpPort), '--otlp-grpc-port', 'none'];
  const start = () => startOpenray([...ports, '--data-dir', dataDir, '--log-level', 'error']);
  let server = await start();
  const { url } = server;
  const onExit = () => {
    server.process.kill('SIGKILL');
    disk?.unmount();
  };
  process.once('exit', onExit);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const rates = { spansPerSecond: positiveNumber('rate'), xrayPauseMs: 500, datagramsEveryMs: 100 };
  const load = startLoad({ url, otlpUrl: `http://127.0.0.1:${otlpPort}` }, rates);
  const readers = startReaders(url, load.sent);
  const failures: string[] = [];
  const beganMs = performance.now();
  const until = (share: number) => pause(beganMs + share * lengthMs - performance.now());
  try {
    for (let kill = 1; kill <= kills; kill++) {
      await until((kill * KILLS_END) / kills);
      const output = server.output();
      const killed = server;
      server = await killOne(server, kill, start);
      if (server !== killed) failures.push(...failuresIn(output));
      log(`kill ${kill} of ${kills}, ${load.sent.acknowledged.size} traces acknowledged`);
    }
    const refused = disk && (await fillDisk(url, disk, load.sent, () => until(DISK_END)));
    await until(MEMORY_BEGIN);
    log('measuring memory');
    const samples: MemorySample[] = [];
    while (performance.now() - beganMs < lengthMs || samples.length < LEAST_SAMPLES) {
      samples.push({ atMs: performance.now(), bytes: residentBytesOf(server.process.pid as number) });
      await pause(SAMPLE_EVERY_MS);
    }
    await readers.stop();
    await load.stop();
    const sums = await wrongSums(url);
    await server.stop();
    failures.push(...failuresIn(server.output()));
    log('comparing the store with the acknowledged traces');
    const store = await openTestStore(dataDir);
    const check = await checkStore(store, load.sent);
    await store.close();
    return report({
      sent: load.sent,
      check,
      counts: readers.counts,
      trend: memoryTrend(samples),
      sums,
      refused,
      failures,
    });
  } finally {
    await readers.stop();
    await load.stop();
    await server.kill();
    process.off('exit', onExit);
  }
}

/** Kills the server, or every other time its engine where that is a child process; resolves when the server runs. */
async function killOne(
  server: OpenrayProcess,
  kill: number,
  start: () => Promise<OpenrayProcess>,
): Promise<OpenrayProcess> {
  const engine = kill % 2 === 0 ? engineOf(server.process.pid as number) : undefined;
  if (engine !== undefined) {
    process.kill(engine, 'SIGKILL');
    return server;
  }
  await server.kill();
  return start();
}

/** Fills the disk until writes are refused, and frees it again. Returns the number of documents refused meanwhile. */
async function fillDisk(url: string, disk: SmallDisk, sent: Sent, untilEnd: () => Promise<void>): Promise<number> {
  const before = sent.unanswered;
  log('filling the disk');
  await disk.fill();
  await change('the server is not ready', async () => (await statusOf(`${url}/ready`)) === 503);
  await change('documents are refused', async () => sent.unanswered > before);
  await untilEnd();
  await disk.empty();
  const freedMs = performance.now();
  await change('documents are acknowledged', async () => sent.begunMs > freedMs);
  await change('the server is ready', async () => (await statusOf(`${url}/ready`)) === 200);
  const refused = sent.unanswered - before;
  log(`the disk has space again, ${refused} documents were refused`);
  return refused;
}

async function change(awaited: string, hasCome: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + CHANGE_WITHIN_MS;
  while (!(await hasCome())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${CHANGE_WITHIN_MS / 1000} s: ${awaited}`);
    await pause(50);
  }
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(30_000) })).status;
  } catch {
    return undefined;
  }
}

/** Receivers whose results do not add up to the documents that they received since the last start. */
async function wrongSums(url: string): Promise<readonly string[]> {
  const metrics = await readMetrics(url);
  return [...metrics].flatMap(([series, received]) => {
    const receiver = /^openray_documents_received_total\{receiver="(.*)"\}$/.exec(series)?.[1];
    if (receiver === undefined) return [];
    const results = ['stored', 'rejected', 'dropped'].map(
      (result) => metrics.get(`openray_documents_total{receiver="${receiver}",result="${result}"}`) ?? 0,
    );
    const queued = metrics.get(`openray_documents_queued{receiver="${receiver}"}`) ?? 0;
    const sum = results.reduce((total, count) => total + count, queued);
    return sum === received ? [] : [`${receiver}: ${received} received, ${sum} with a result`];
  });
}

type Results = {
  readonly sent: Sent;
  readonly check: StoreCheck;
  readonly counts: ReaderCounts;
  readonly trend: MemoryTrend;
  readonly sums: readonly string[];
  /** Undefined when the disk was not filled. */
  readonly refused: number | undefined;
  /** Lines of the log about requests that failed for a reason that the server does not know. */
  readonly failures: readonly string[];
};

function failuresIn(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.includes('request failed'));
}

/** Prints the table; returns the exit code. */
function report({ sent, check, counts, trend, sums, refused, failures }: Results): number {
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const listed = (all: ReadonlyMap<string, number>) => [...all].map(([name, count]) => `${name} ${count}`).join(', ');
  const rows: readonly (readonly [string, string | number])[] = [
    ['length', `${flags.minutes} minutes, ${killsIn(Number(flags.minutes))} kills`],
    ['full disk', refused === undefined ? 'not tried' : `${refused} documents refused`],
    ['acknowledged', `${sent.acknowledged.size} traces, ${sent.acknowledgedSpans} spans`],
    ['lost', check.lost.length],
    ['duplicated', check.duplicated.length],
    ['stored, without entity rows', check.withoutEntities.length],
    ['refused or unanswered', sent.unanswered],
    ['datagrams', `${sent.datagrams.size} sent, ${check.datagramsStored} stored`],
    ['sums of /metrics', sums.length === 0 ? 'add up' : sums.join('; ')],
    ['answers', listed(counts.answers)],
    ['answered after', `p50 ${ms(counts.answersMs, 0.5)}, p95 ${ms(counts.answersMs, 0.95)}`],
    ['unanswered questions', listed(counts.failures)],
    ['failed requests in the log', failures.length],
    ['live pages', `${counts.events} events, ${counts.connections} connections`],
    ['memory, last 40 %', `median ${megabytes(trend.medianBytes)}, most ${megabytes(trend.mostBytes)}`],
    ['its growth meanwhile', `${megabytes(trend.growthBytes)}, ${trend.isFlat ? 'flat' : 'not flat'}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  process.stdout.write(`\n${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')}`);
  const wrong = [...check.lost, ...check.duplicated, ...check.withoutEntities];
  for (const line of [...wrong.slice(0, 5), ...failures.slice(0, 5)]) process.stdout.write(`  ${line}\n`);
  return wrong.length + sums.length === 0 && trend.isFlat && counts.events > 0 ? 0 : 1;
}

function ms(values: readonly number[], share: number): string {
  return values.length === 0 ? '–' : `${Math.round(percentile(values, share))} ms`;
}

function positiveNumber(name: 'minutes' | 'rate' | 'disk-mb'): number {
  const number = Number(flags[name]);
  return number > 0 ? number : fail(`--${name} takes a positive number`);
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
