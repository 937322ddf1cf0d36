import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Random, seededRandom } from '../../bench/load/random.ts';
import { type ClickHouseCluster, startClickHouse } from '../../server/src/store/testing/clickhouse-server.ts';
import { openTestStore } from '../../server/src/store/testing/open-test-store.ts';
import { freePort } from '../free-port.ts';
import { type OpenrayProcess, startOpenray } from '../openray.ts';
import { checkStore } from './check.ts';
import { type Load, type LoadOptions, startLoad } from './load.ts';
import { copyInPlace, cutJournals, recordingEnvironment } from './power-loss.ts';
import { childrenOf, engineOf, freeze } from './processes.ts';
import type { Part, Round, Victim } from './results.ts';

export type PartOptions = {
  readonly rounds: number;
  readonly seed: number;
  readonly isCluster: boolean;
  /** Those that do not apply to the store are left out. */
  readonly victims: readonly Victim[];
  readonly spansPerSecond: number;
  /** Longest time from a kill to an acknowledgement and an answer; the run ends with an error after it. */
  readonly patienceMs: number;
  /** Called after each round. */
  readonly onRound: (round: Round, number: number) => void;
  readonly log: (text: string) => void;
};

/** Beside 20,000 spans a second; the rates of all receivers grow and shrink together. */
const FULL_LOAD = { spansPerSecond: 20_000, xrayPauseMs: 50, datagramsEveryMs: 5 };

/** Time between two kills. */
const [SHORTEST_MS, LONGEST_MS] = [50, 700];
const MOST_EXAMPLES = 5;

type Running = {
  server: OpenrayProcess;
  readonly load: Load;
  readonly clickhouse: ClickHouseCluster | undefined;
  readonly dataDir: string;
  readonly syncLog: string;
  readonly patienceMs: number;
  start(): Promise<OpenrayProcess>;
  cutBytes: number;
};

function loadOf({ spansPerSecond }: PartOptions): LoadOptions {
  const slower = spansPerSecond === 0 ? 1 : FULL_LOAD.spansPerSecond / spansPerSecond;
  return {
    spansPerSecond,
    xrayPauseMs: FULL_LOAD.xrayPauseMs * slower,
    datagramsEveryMs: FULL_LOAD.datagramsEveryMs * slower,
  };
}

/** Kills victims under load on a new data directory, then compares its store with the acknowledged traces. */
export async function runPart(options: PartOptions): Promise<Part> {
  const random = seededRandom(options.seed, 0);
  const folder = await mkdtemp(join(tmpdir(), 'openray-kills-'));
  const dataDir = join(folder, 'data');
  const syncLog = join(folder, 'syncs');
  const clickhouse = options.isCluster ? await startClickHouse(2) : undefined;
  const [port, otlpPort] = [await freePort(), await freePort()];
  const losesPower = options.victims.includes('power');
  const flags = [
    ...['--port', String(port), '--otlp-http-port', String(otlpPort), '--otlp-grpc-port', 'none'],
    ...['--data-dir', dataDir, '--log-level', 'error'],
    ...(losesPower ? ['--fsync', 'true'] : []),
    ...(clickhouse ? ['--store-url', clickhouse.url] : []),
  ];
  const start = () => startOpenray(flags, losesPower ? { env: recordingEnvironment(syncLog) } : {});
  const server = await start();
  const load = startLoad({ url: server.url, otlpUrl: `http://127.0.0.1:${otlpPort}` }, loadOf(options));
  const { patienceMs } = options;
  const running: Running = { server, load, clickhouse, dataDir, syncLog, patienceMs, start, cutBytes: 0 };
  const onExit = () => void running.server.process.kill('SIGKILL');
  process.once('exit', onExit);
  try {
    const rounds: Round[] = [];
    // Each kill is followed by the question for a trace that was acknowledged before.
    await untilAcknowledged(running, 0, performance.now() + options.patienceMs);
    let upMs = 0;
    let upSinceMs = performance.now();
    const victims = options.victims.filter((victim) => applies(victim, running, options.log));
    if (victims.length === 0) throw new Error('no victim applies to this store');
    for (let round = 1; round <= options.rounds; round++) {
      await pause(SHORTEST_MS + random.share() * (LONGEST_MS - SHORTEST_MS));
      upMs += performance.now() - upSinceMs;
      const { restartedMs, ...done } = await killOne(random.pick(victims), running, random);
      upSinceMs = restartedMs;
      rounds.push(done);
      options.onRound(done, round);
    }
    await load.stop();
    await running.server.stop();
    return { ...(await checked(running)), seed: options.seed, rounds, upSeconds: upMs / 1000 };
  } finally {
    await load.stop();
    await running.server.kill();
    await clickhouse?.stop();
    await rm(folder, { recursive: true, force: true });
    process.off('exit', onExit);
  }
}

async function checked({ dataDir, clickhouse, load: { sent }, cutBytes }: Running) {
  const store = await openTestStore(dataDir, clickhouse && { storeUrl: clickhouse.url });
  const check = await checkStore(store, sent);
  await store.close();
  return {
    acknowledgedTraces: sent.acknowledged.size,
    acknowledgedSpans: sent.acknowledgedSpans,
    lost: check.lost.length,
    duplicated: check.duplicated.length,
    withoutEntities: check.withoutEntities.length,
    unanswered: sent.unanswered,
    repeatedRows: check.repeatedRows,
    datagramsSent: sent.datagrams.size,
    datagramsStored: check.datagramsStored,
    cutBytes,
    examples: [...check.lost, ...check.duplicated, ...check.withoutEntities].slice(0, MOST_EXAMPLES),
  };
}

function applies(victim: Victim, { server, clickhouse }: Running, log: (text: string) => void): boolean {
  switch (victim) {
    case 'server':
      return true;
    case 'shard':
      return clickhouse !== undefined;
    case 'engine':
    case 'both': {
      const isChild = clickhouse === undefined && engineOf(server.process.pid as number) !== undefined;
      if (!isChild) log(`${victim} does not apply: the server has no child process that runs the engine`);
      return isChild;
    }
    case 'power':
      if (clickhouse) log('power does not apply: a store of ClickHouse servers has no journal here');
      return clickhouse === undefined;
  }
}

type Kill = Round & {
  /** When the victim had been started again. */
  readonly restartedMs: number;
};

async function killOne(victim: Victim, running: Running, random: Random): Promise<Kill> {
  const expectedTrace = running.load.sent.lastTraceId;
  const killedMs = performance.now();
  await kill(victim, running, random);
  // A response that was in flight at the kill does not count.
  const restartedMs = performance.now();
  const deadlineMs = killedMs + running.patienceMs;
  const [backAtMs, answeredAtMs] = await Promise.all([
    untilAcknowledged(running, restartedMs, deadlineMs),
    untilAnswered(running, expectedTrace, deadlineMs),
  ]);
  return { victim, backMs: backAtMs - killedMs, answeredMs: answeredAtMs - killedMs, restartedMs };
}

async function kill(victim: Victim, running: Running, random: Random): Promise<void> {
  const { server } = running;
  const pid = server.process.pid as number;
  switch (victim) {
    case 'server':
      await server.kill();
      running.server = await running.start();
      return;
    case 'engine': {
      const engine = engineOf(pid);
      if (engine !== undefined) process.kill(engine, 'SIGKILL');
      return;
    }
    case 'both': {
      const engine = engineOf(pid);
      if (engine !== undefined) process.kill(engine, 'SIGKILL');
      await server.kill();
      running.server = await running.start();
      return;
    }
    case 'shard': {
      const shard = random.pick(running.clickhouse?.shards ?? []);
      await shard.kill();
      await shard.start();
      return;
    }
    case 'power': {
      const pids = [pid, ...childrenOf(pid)];
      await freeze(pids);
      copyInPlace(running.dataDir);
      const exited = once(server.process, 'exit');
      for (const each of pids) process.kill(each, 'SIGKILL');
      await exited;
      running.cutBytes += cutJournals(running.dataDir, readFileSync(running.syncLog, 'utf8'));
      running.server = await running.start();
    }
  }
}

/** Resolves with the time at which a request that began after `sinceMs` was acknowledged. */
async function untilAcknowledged(running: Running, sinceMs: number, deadlineMs: number): Promise<number> {
  while (performance.now() < deadlineMs) {
    if (running.load.sent.begunMs > sinceMs) return performance.now();
    await pause(2);
  }
  throw lateError('acknowledged', running);
}

/** Resolves with the time at which an answer had the trace. */
async function untilAnswered(running: Running, traceId: string | undefined, deadlineMs: number): Promise<number> {
  let answer = '';
  while (performance.now() < deadlineMs) {
    answer = traceId === undefined ? FOUND : await answerFor(running.server.url, traceId, deadlineMs);
    if (answer === FOUND) return performance.now();
    await pause(5);
  }
  throw lateError(`answered with ${traceId}, the last answer was ${answer}`, running);
}

const FOUND = 'found';

/** FOUND when the answer has the trace; else the start of the answer, or why there is none. */
async function answerFor(url: string, traceId: string, deadlineMs: number): Promise<string> {
  try {
    const TraceIds = [`1-${traceId.slice(0, 8)}-${traceId.slice(8)}`];
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs - performance.now())));
    const response = await fetch(`${url}/Traces`, { method: 'POST', body: JSON.stringify({ TraceIds }), signal });
    const text = await response.text();
    const { Traces } = JSON.parse(text) as { Traces?: readonly unknown[] };
    return response.ok && Traces?.length === 1 ? FOUND : `${response.status} ${text.slice(0, 300)}`;
  } catch (error) {
    return String(error);
  }
}

const lateError = (missing: string, { server, patienceMs }: Running) =>
  new Error(`not ${missing} within ${patienceMs / 1000} s:\n${server.output()}`);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
