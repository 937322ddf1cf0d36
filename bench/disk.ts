/** `npm run bench:disk`: bytes a span on disk, by table and column, and what other schemas would take. See USAGE. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { startOpenray } from '../scripts/openray.ts';
import { describeMachine } from './figures.ts';
import { makeBodies } from './load/bodies.ts';
import { type DiskEngine, openDiskEngine } from './load/disk-engine.ts';
import { type DatasetOptions, makeDataset, spanCountOf } from './load/generate.ts';
import { untilIdle } from './load/ingest.ts';
import { otlpRequests } from './load/otlp-requests.ts';
import { post } from './load/send.ts';

const USAGE = `npm run bench:disk [-- OPTIONS]
  --traces N    number of traces to load, ten spans each (30000)
  --data KIND   otlp, xray (both)
  --with FILE   statements of SQL that change the schema: what each table would take with it; may be repeated
  --keep DIR    keep the loaded data in DIR, and use the data that an earlier run kept there
  --columns     all columns and indexes, not only tables
Sends the traces to the built server, merges all parts, and prints bytes a span. For each FILE, the rows of the server
are inserted again, block by block, into a database with the changed tables. Beside it the unchanged tables are measured
in the same way: bytes, and CPU of inserts and merges.
Files are written below TMPDIR, at most about 1000 bytes a span, and removed at the end.
`;

const KINDS = ['otlp', 'xray'] as const;
type Kind = (typeof KINDS)[number];

const CONNECTIONS = 8;
/** On a busy machine the sender is faster than the engine, and must not be throttled. */
const QUEUE_MAX_BYTES = 4 * 1024 ** 3;
const HOUR_US = 3_600_000_000;

const { values } = parseArgs({
  options: {
    traces: { type: 'string', default: '30000' },
    data: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
    columns: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  const kinds = values.data === undefined ? KINDS : KINDS.filter((kind) => kind === values.data);
  const changes = await Promise.all(
    values.with.map(async (path) => ({ name: basename(path, '.sql'), text: await readFile(path, 'utf8') })),
  );
  const toUs = Math.floor(Date.now() / 1000) * 1_000_000;
  const traceCount = Number(values.traces);
  const options = { seed: 1, traceCount, serviceCount: 50, fromUs: toUs - HOUR_US, toUs };
  process.stdout.write(`${describeMachine()}\n`);
  for (const kind of kinds) {
    const folder = values.keep === undefined ? await mkdtemp(join(tmpdir(), 'openray-disk-')) : join(values.keep, kind);
    try {
      if (!existsSync(join(folder, 'clickhouse'))) await load(kind, options, folder);
      const engine = await openDiskEngine(join(folder, 'clickhouse'));
      await report(kind, engine, spanCountOf(traceCount), changes);
      engine.close();
    } finally {
      if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Fills the data directory as clients would. The server rolls up everything before it ends. */
async function load(kind: Kind, options: DatasetOptions, dataDir: string): Promise<void> {
  const flags = ['--queue-max-bytes', String(QUEUE_MAX_BYTES), '--memory-max-bytes', String(2 * QUEUE_MAX_BYTES)];
  const server = await startOpenray(['--port', '0', '--data-dir', dataDir, '--log-level', 'warn', ...flags]);
  try {
    if (kind === 'otlp') {
      await postAll(`${server.otlpHttpUrl}/v1/traces`, 'application/x-protobuf', otlpRequests(options));
    } else {
      const bodies = makeBodies('xray', makeDataset(options), 0, options.traceCount);
      await postAll(`${server.url}/TraceSegments`, 'application/json', bodies);
    }
    await untilIdle(server.process.pid as number);
  } finally {
    await server.stop();
  }
}

async function postAll(url: string, contentType: string, bodies: Iterable<Buffer>): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const waiting = bodies[Symbol.iterator]();
  const worker = async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const { status, text } = await post(agent, url, contentType, next.value);
      if (status !== 200) throw new Error(`${url} answered ${status}: ${text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
}

type Change = { readonly name: string; readonly text: string };

async function report(kind: Kind, engine: DiskEngine, spans: number, changes: readonly Change[]): Promise<void> {
  const print = (label: string, bytes: number, note = '') =>
    process.stdout.write(`${label.padEnd(44)} ${(bytes / spans).toFixed(2).padStart(8)}  ${note}\n`);
  process.stdout.write(`\n${kind}, ${spans} spans: bytes a span\n`);
  const sizes = await engine.sizes();
  const total = sizes.filter(({ part }) => part === '').reduce((sum, { bytes }) => sum + bytes, 0);
  print('all tables', total);
  for (const { table, part, bytes } of sizes) if (part === '' || values.columns) print(`${table} ${part}`, bytes);
  if (changes.length === 0) return;
  process.stdout.write('\nthe same rows inserted into other tables: bytes a span\n');
  for (const { name, text } of [{ name: 'unchanged', text: '' }, ...changes]) {
    const { insertSeconds, mergeSeconds, sizes } = await engine.costOf(text);
    const cpu = `CPU us a span: inserts ${us(insertSeconds, spans)}, merges ${us(mergeSeconds, spans)}`;
    for (const { table, part, bytes } of sizes) {
      if (part === '' || values.columns) print(`${name}: ${table} ${part}`, bytes, part === '' ? cpu : '');
    }
  }
}

function us(seconds: number, spans: number): string {
  return ((seconds / spans) * 1e6).toFixed(2);
}
