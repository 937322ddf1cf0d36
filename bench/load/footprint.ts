import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DiskUse, startBareEngine } from './bare-client.ts';
import type { BenchRun } from './bench-run.ts';
import type { Figure } from './figure.ts';
import { spanCountOf } from './generate.ts';
import { median } from './latencies.ts';
import { residentBytesOf } from './process-usage.ts';
import { windowOf } from './questions.ts';

const MOST_STARTS = 3;
const FILES = 100;

/** Opens the engine's directory, runs a query, prints the result, and waits for its end. */
const BARE_START = `
  const { Session } = require('chdb');
  const session = new Session(process.argv[1]);
  session.query('USE openray');
  process.stdout.write(session.query('SELECT count() FROM documents'));
  process.stdin.resume();`;

type Start = { readonly ms: number; readonly residentBytes: number };

/** Time from the start of the program on the loaded data to its first response, and the memory at that moment. */
export async function* startUp(run: BenchRun): AsyncGenerator<Figure> {
  const loadedBytes = residentBytesOf(run.server.process.pid as number);
  const openray: Start[] = [];
  const bare: Start[] = [];
  const count = Math.min(MOST_STARTS, run.samples);
  for (let start = 1; start <= count; start++) {
    run.log(`starting, ${start} of ${count}`);
    openray.push(await restart(run));
    bare.push(await startBare(run.bareDirectory));
  }
  const megabytes = (starts: readonly Start[]) => median(starts.map((start) => start.residentBytes)) / 1e6;
  yield {
    name: 'start',
    description: 'start to first answer, on the loaded data',
    unit: 'ms',
    value: median(openray.map((start) => start.ms)),
    bare: median(bare.map((start) => start.ms)),
    target: { atMost: 1_000 },
  };
  yield {
    name: 'start-memory',
    description: 'memory after the start',
    unit: 'MB',
    value: megabytes(openray),
    bare: megabytes(bare),
    target: { atMost: 400 },
  };
  yield {
    name: 'start-memory-before',
    description: 'memory after loading and queries',
    unit: 'MB',
    value: loadedBytes / 1e6,
  };
}

async function restart(run: BenchRun): Promise<Start> {
  await run.server.stop();
  const beganMs = performance.now();
  await run.startServer();
  const lastMinute = { ...windowOf(run.dataset), StartTime: run.dataset.toUs / 1e6 - 60 };
  await run.caller.call('/TraceSummaries', lastMinute);
  return { ms: performance.now() - beganMs, residentBytes: residentBytesOf(run.server.process.pid as number) };
}

/** The bare engine of the run must be closed first. */
async function startBare(directory: string): Promise<Start> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, ['-e', BARE_START, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    await Promise.race([
      once(child.stdout, 'data'),
      exited.then(() => Promise.reject(new Error('the bare engine did not start'))),
    ]);
    return { ms: performance.now() - beganMs, residentBytes: residentBytesOf(child.pid as number) };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

/**
 * Cost of the disk for a commit of any size: an insert creates at least a dozen files for each table. File systems
 * differ widely, and a file system that has just deleted many files is slower.
 */
export async function* fileCreation(run: BenchRun): AsyncGenerator<Figure> {
  const folder = join(run.bareDirectory, '..', 'files');
  await mkdir(folder);
  const beganMs = performance.now();
  for (let count = 0; count < FILES; count++) await writeFile(join(folder, String(count)), '');
  const tookMs = performance.now() - beganMs;
  await rm(folder, { recursive: true });
  yield { name: 'ingest-file', description: 'create one file on this disk', unit: 'ms', value: tookMs / FILES };
}

/** Bytes of a span on disk after merges, in the server's tables and in the bare engine's, which got larger inserts. */
export async function* diskUse(run: BenchRun): AsyncGenerator<Figure> {
  run.log('merging, and measuring the disk use');
  await run.server.stop();
  const openray = await measureDiskUse(run.serverDirectory);
  const bare = await measureDiskUse(run.bareDirectory);
  const spans = spanCountOf(run.dataset.traceCount);
  const perSpan = (name: string, description: string, bytesOf: (use: DiskUse) => number): Figure => ({
    name,
    description,
    unit: 'bytes/span',
    value: openray.reduce((sum, use) => sum + bytesOf(use), 0) / spans,
    bare: bare.reduce((sum, use) => sum + bytesOf(use), 0) / spans,
  });
  yield { ...perSpan('disk', 'on disk, all tables', ({ bytes }) => bytes), target: { atMost: 60 } };
  yield perSpan('disk-documents', 'on disk, documents as received', ({ table, bytes }) =>
    table === 'documents' ? bytes : 0,
  );
  yield perSpan('disk-entities', 'on disk, entity rows for searching', ({ table, bytes }) =>
    table === 'entities' ? bytes : 0,
  );
  yield perSpan('disk-index', 'on disk, indexes of these', ({ indexBytes }) => indexBytes);
}

async function measureDiskUse(directory: string): Promise<readonly DiskUse[]> {
  const engine = await startBareEngine(directory, { isNew: false });
  try {
    return await engine.diskUse();
  } finally {
    await engine.stop();
  }
}
