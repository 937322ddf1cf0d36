import type { LoadTimes } from './bare-client.ts';
import type { BenchRun } from './bench-run.ts';
import { addParts, partFigures } from './cpu-figures.ts';
import type { Figure } from './figure.ts';
import { spanCountOf } from './generate.ts';
import { percentile } from './latencies.ts';
import { type CpuParts, cpuPartsOf, cpuSecondsOf } from './process-usage.ts';
import { readMetrics } from './send.ts';
import { type Sender, type SendTimes, startSender } from './sender.ts';

/** Concurrent clients; each waits for its acknowledgement. */
const CONNECTIONS = 32;
/** The server and the bare engine take turns, so that other work of the machine affects both. The first is a warm-up. */
const TURNS = 5;
/** Traces whose requests are made at once, before any of them is sent: about 100 MB. */
const TRACES_AHEAD = 20_000;
/** Share of the traces that is sent over UDP. */
const UDP_SHARE = 0.1;

const PER_CORE = { atLeast: 30_000 };
const OF_BARE = { atLeast: 0.4 };

type IngestCost = {
  readonly spans: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly parts: CpuParts;
};
type IngestRound = IngestCost & { readonly bare: LoadTimes };

/** Loads the data set into the server and, in turns, the same rows into the bare engine. */
export async function* ingest(run: BenchRun): AsyncGenerator<Figure> {
  const { traceCount } = run.dataset;
  const httpCount = traceCount - Math.ceil(traceCount * UDP_SHARE);
  const sender = startSender();
  try {
    const overHttp = yield* ingestOverHttp(run, sender, httpCount);
    const overUdp = yield* ingestOverUdp(run, sender, httpCount);
    yield* decodeFigures([...overHttp, overUdp]);
  } finally {
    await sender.stop();
  }
}

async function* ingestOverHttp(
  run: BenchRun,
  sender: Sender,
  traceCount: number,
): AsyncGenerator<Figure, readonly IngestRound[]> {
  const latenciesMs: number[] = [];
  const overHttp: IngestRound[] = [];
  const pid = run.server.process.pid as number;
  const [[, warmCount] = [0, 0], ...measured] = turns(traceCount);
  run.log(`loading traces 0 to ${warmCount} over HTTP, to warm up`);
  await loadOverHttp(run, sender, 0, warmCount);
  await run.bare.load(run.options, 0, warmCount);
  await untilIdle(pid);
  const beganCpu = cpuSecondsOf(pid);
  for (const [first, last] of measured) {
    run.log(`loading traces ${first} to ${last} over HTTP`);
    const spent = await measureCost(run, first, last, async () => {
      const sent = await loadOverHttp(run, sender, first, last);
      latenciesMs.push(...sent.latenciesMs);
      return sent.seconds;
    });
    overHttp.push({ ...spent, bare: await run.bare.load(run.options, first, last) });
  }
  run.log('waiting for roll-up and merges');
  await untilIdle(pid);
  yield* rateFigures('http', 'ingest over HTTP', overHttp);
  yield {
    name: 'ingest-http-all-per-core',
    description: 'ingest over HTTP, per second of CPU, including roll-up and merges',
    unit: 'spans/s',
    value: spanCountOf(traceCount - warmCount) / Math.max(0.01, cpuSecondsOf(pid) - beganCpu),
  };
  const bareMs = overHttp.flatMap(({ bare }) => bare.insertsMs);
  const acknowledge = (name: string, share: number) => ({
    name: `ingest-acknowledge-${name}`,
    description: `acknowledge under full load, ${name} (bare: one insert)`,
    unit: 'ms' as const,
    value: percentile(latenciesMs, share),
    bare: percentile(bareMs, share),
  });
  yield acknowledge('p50', 0.5);
  yield { ...acknowledge('p99', 0.99), target: { atMost: 250 } };
  return overHttp;
}

async function* ingestOverUdp(run: BenchRun, sender: Sender, first: number): AsyncGenerator<Figure, IngestRound> {
  const { traceCount } = run.dataset;
  run.log(`loading traces ${first} to ${traceCount} over UDP`);
  let stored = { sent: 0, accepted: 0 };
  const spent = await measureCost(run, first, traceCount, async () => {
    const { seconds, ...counts } = await loadOverUdp(run, sender, first, traceCount);
    stored = counts;
    return seconds;
  });
  const round = { ...spent, bare: await run.bare.load(run.options, first, traceCount) };
  yield* rateFigures('udp', 'ingest over UDP', [round]);
  yield {
    name: 'ingest-udp-stored',
    description: 'datagrams stored, of those sent',
    unit: 'share',
    value: stored.accepted / stored.sent,
    target: { atLeast: 1 },
  };
  return round;
}

function* rateFigures(receiver: string, description: string, rounds: readonly IngestRound[]): Generator<Figure> {
  const spans = sum(rounds, (turn) => turn.spans);
  yield {
    name: `ingest-${receiver}`,
    description,
    unit: 'spans/s',
    value: spans / sum(rounds, (turn) => turn.seconds),
    bare: spans / sum(rounds, (turn) => turn.bare.insertSeconds),
    ratioTarget: OF_BARE,
  };
  yield {
    name: `ingest-${receiver}-per-core`,
    description: `${description}, per second of CPU, engine included`,
    unit: 'spans/s',
    // A small data set may take less than a tick of the kernel's CPU clock.
    value:
      spans /
      Math.max(
        0.01,
        sum(rounds, (turn) => turn.cpuSeconds),
      ),
    bare:
      spans /
      Math.max(
        0.01,
        sum(rounds, (turn) => turn.bare.insertCpuSeconds),
      ),
    target: PER_CORE,
  };
  const parts = rounds.map((turn) => turn.parts).reduce((all, turn) => addParts(all, turn));
  yield* partFigures(`ingest-${receiver}`, description, spans, parts);
}

/** Highest rate of one JavaScript thread for each step: the slowest step bounds the rate of the server. */
function* decodeFigures(rounds: readonly IngestRound[]): Generator<Figure> {
  const spans = sum(rounds, (turn) => turn.spans);
  const step = (name: string, description: string, seconds: (times: LoadTimes) => number): Figure => ({
    name: `ingest-${name}`,
    description,
    unit: 'spans/s',
    value: spans / sum(rounds, ({ bare }) => seconds(bare)),
  });
  yield step('decode', 'step: JSON.parse alone', (times) => times.decodeSeconds);
  yield step('parse', 'step: parseDocument (JSON.parse included)', (times) => times.parseSeconds);
  yield step('encode', 'step: rows to RowBinary', (times) => times.encodeSeconds);
}

/** `work` returns its seconds, without those in which requests were made. */
async function measureCost(
  run: BenchRun,
  first: number,
  last: number,
  work: () => Promise<number>,
): Promise<IngestCost> {
  const pid = run.server.process.pid as number;
  const beganCpu = cpuSecondsOf(pid);
  const beganParts = cpuPartsOf(pid);
  return {
    spans: spanCountOf(last - first),
    seconds: await work(),
    cpuSeconds: cpuSecondsOf(pid) - beganCpu,
    parts: addParts(cpuPartsOf(pid), beganParts, -1),
  };
}

/** Resolves when the process uses less than a twentieth of a core for a second, or after half an hour. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + 1_800_000;
  for (let last = cpuSecondsOf(pid), usedSeconds = 1; usedSeconds > 0.05 && performance.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = cpuSecondsOf(pid);
    usedSeconds = now - last;
    last = now;
  }
}

async function loadOverHttp(
  run: BenchRun,
  sender: Sender,
  first: number,
  last: number,
): Promise<Pick<SendTimes, 'seconds' | 'latenciesMs'>> {
  let seconds = 0;
  const latenciesMs: number[] = [];
  for (const [from, to] of portions(first, last)) {
    await sender.make('xray', 'xray', run.options, from, to);
    const sent = await sender.send('xray', { protocol: 'xray', url: run.server.url, connections: CONNECTIONS });
    seconds += sent.seconds;
    latenciesMs.push(...sent.latenciesMs);
  }
  return { seconds, latenciesMs };
}

type UdpLoad = { readonly seconds: number; readonly sent: number; readonly accepted: number };

/** Resolves when all documents are stored or counted as lost, or when no counter has changed for 5 s. */
async function loadOverUdp(run: BenchRun, sender: Sender, first: number, last: number): Promise<UdpLoad> {
  const port = Number(new URL(run.server.url).port);
  let [seconds, sent, accepted] = [0, 0, 0];
  for (const [from, to] of portions(first, last)) {
    await sender.make('udp', 'datagram', run.options, from, to);
    const before = await udpDocuments(run);
    const beganMs = performance.now();
    const { bodies } = await sender.send('udp', { protocol: 'datagram', port });
    accepted += await acceptedSince(run, before, bodies);
    seconds += (performance.now() - beganMs) / 1000;
    sent += bodies;
  }
  return { seconds, sent, accepted };
}

type UdpDocuments = { readonly accepted: number; readonly lost: number };

async function acceptedSince(run: BenchRun, before: UdpDocuments, sent: number): Promise<number> {
  for (let movedMs = performance.now(), last = before; ; ) {
    const now = await udpDocuments(run);
    const done = now.accepted + now.lost - before.accepted - before.lost;
    if (done >= sent || performance.now() - movedMs > 5_000) return now.accepted - before.accepted;
    if (now.accepted + now.lost > last.accepted + last.lost) movedMs = performance.now();
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Splits the traces [first, last) into ranges whose requests fit into memory. */
function* portions(first: number, last: number): Generator<readonly [number, number]> {
  for (let from = first; from < last; from += TRACES_AHEAD) yield [from, Math.min(last, from + TRACES_AHEAD)];
}

async function udpDocuments({ server }: BenchRun): Promise<UdpDocuments> {
  const metrics = await readMetrics(server.url);
  const count = (result: string) => metrics.get(`openray_documents_total{receiver="udp",result="${result}"}`) ?? 0;
  return { accepted: count('stored'), lost: count('rejected') + count('dropped') };
}

/** Splits the traces into TURNS ranges [first, last) of about the same size. */
function* turns(count: number): Generator<readonly [number, number]> {
  for (let turn = 0; turn < TURNS; turn++) {
    const first = Math.floor((turn * count) / TURNS);
    const last = Math.floor(((turn + 1) * count) / TURNS);
    if (last > first) yield [first, last];
  }
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
