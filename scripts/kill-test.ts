/**
 * Kills the server, and with --cluster its shards, with SIGKILL at random times under load over HTTP and UDP. Then
 * checks that each acknowledged document is stored once, and exits with 1 otherwise.
 *
 *   npm run test:kills -- --rounds 200 --cluster --seed 7
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../bench/load/random.ts';
import { startClickHouse } from '../server/src/store/testing/clickhouse-server.ts';
import { openTestStore } from '../server/src/store/testing/open-test-store.ts';
import { freePort } from './free-port.ts';
import { checkStore, type StoreCheck } from './kill-check.ts';
import { type Sent, startLoad } from './kill-load.ts';
import { type OpenrayProcess, startOpenray } from './openray.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    cluster: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
});
const rounds = Number(flags.rounds);
const random = seededRandom(Number(flags.seed), 0);
/** Time between two kills. */
const [SHORTEST_MS, LONGEST_MS] = [50, 700];
const BACK_WITHIN_MS = 60_000;

type Round = { readonly victim: 'server' | 'shard'; readonly backMs: number };

const dataDir = await mkdtemp(join(tmpdir(), 'openray-kills-'));
const clickhouse = flags.cluster ? await startClickHouse(2) : undefined;
const port = await freePort();
const storeFlags = clickhouse ? ['--store-url', clickhouse.url] : [];
const start = () =>
  startOpenray(['--port', String(port), '--data-dir', dataDir, '--log-level', 'error', ...storeFlags]);

let server = await start();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.process.kill('SIGKILL');
    process.exit(130);
  });
}
const load = startLoad(server.url);
const done: Round[] = [];
for (let round = 1; round <= rounds; round++) {
  await pause(SHORTEST_MS + random.share() * (LONGEST_MS - SHORTEST_MS));
  done.push(await killOne());
  showProgress(round);
}
await load.stop();
await server.stop();

const store = await openTestStore(dataDir, clickhouse && { storeUrl: clickhouse.url });
const check = await checkStore(store, load.sent);
await store.close();
await clickhouse?.stop();
await rm(dataDir, { recursive: true, force: true });
process.stdout.write(table(done, load.sent, check));
const isGood = check.lost.length + check.duplicated.length + check.withoutEntities.length === 0;
process.exit(isGood ? 0 : 1);

/**
 * Kills the server or a shard, starts it again, and waits for the acknowledgement of a call that began after the kill.
 */
async function killOne(): Promise<Round> {
  const shard = clickhouse && random.share() < 0.6 ? random.pick(clickhouse.shards) : undefined;
  const killedMs = performance.now();
  if (shard) {
    await shard.kill();
    await shard.start();
  } else {
    server = await restart(server);
  }
  // A response that was in flight at the kill does not count.
  const startedMs = performance.now();
  while (load.sent.acknowledgedMs < startedMs) {
    if (performance.now() - startedMs > BACK_WITHIN_MS) {
      throw new Error(`no call was acknowledged for a minute after a kill:\n${server.output()}`);
    }
    await pause(2);
  }
  return { victim: shard ? 'shard' : 'server', backMs: load.sent.acknowledgedMs - killedMs };
}

async function restart(running: OpenrayProcess): Promise<OpenrayProcess> {
  await running.kill();
  return start();
}

function showProgress(round: number): void {
  const width = 40;
  const filled = Math.round((round / rounds) * width);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
  const line = `${bar} ${round}/${rounds} kills, ${load.sent.acknowledged.size} acknowledged`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}${round === rounds ? '\n' : ''}`);
  else if (round % 20 === 0 || round === rounds) process.stderr.write(`${line}\n`);
}

function table(ran: readonly Round[], sent: Sent, found: StoreCheck): string {
  const back = (victim: Round['victim']) => {
    const times = ran.filter((round) => round.victim === victim).map(({ backMs }) => backMs);
    if (times.length === 0) return 'never killed';
    times.sort((a, b) => a - b);
    const at = (share: number) => `${Math.round(times[Math.ceil(times.length * share) - 1] ?? 0)} ms`;
    return `${times.length} kills, back after p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`;
  };
  const rows: readonly (readonly [string, string | number])[] = [
    ['store', clickhouse ? 'two shards' : 'embedded'],
    ['seed', flags.seed],
    ['server', back('server')],
    ...(clickhouse ? [['shards', back('shard')] as const] : []),
    ['acknowledged', sent.acknowledged.size],
    ['lost', found.lost.length],
    ['duplicated', found.duplicated.length],
    ['stored, without entity rows', found.withoutEntities.length],
    ['refused or unanswered', sent.unanswered],
    ['rows of repeated inserts', found.repeatedRows],
    ['datagrams', `${sent.datagrams.size} sent, ${found.datagramsStored} stored (UDP has no acknowledgements)`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`);
  const worst = [...found.lost, ...found.duplicated, ...found.withoutEntities].slice(0, 5).map((id) => `  ${id}\n`);
  return `\n${lines.join('')}${worst.join('')}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
