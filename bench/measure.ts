import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenrayProcess, startOpenray } from '../scripts/openray.ts';
import type { Figure } from './figures.ts';
import { type BareEngine, startBareEngine } from './load/bare-client.ts';
import { diskUse, fileCreation, startUp } from './load/footprint.ts';
import { type Dataset, type DatasetOptions, makeDataset } from './load/generate.ts';
import { ingest, untilIdle } from './load/ingest.ts';
import { ingestOtlp } from './load/otlp.ts';
import { readAllPages, reads, readYourWrites } from './load/reads.ts';
import { newXRayCaller, type XRayCaller } from './load/send.ts';

export type MeasureOptions = {
  readonly dataset: DatasetOptions;
  /** Only figures whose names begin with this; the data set is loaded whole in any case. */
  readonly only?: string | undefined;
  /** How often each question is asked at most; what takes long is asked less often. */
  readonly samples?: number;
  /** Breaks the run off; what it started is stopped and what it wrote is removed all the same. */
  readonly signal?: AbortSignal;
  /** Told what is going on, a line at a time. */
  readonly log: (text: string) => void;
};

/** What the parts of a run share: the server, and next to it the bare engine with the same rows. */
export type BenchRun = {
  readonly options: DatasetOptions;
  readonly dataset: Dataset;
  /** The one that runs now. */
  readonly server: OpenrayProcess;
  readonly caller: XRayCaller;
  readonly bare: BareEngine;
  /** Where the server's engine keeps its files, and where the bare one does. */
  readonly serverDirectory: string;
  readonly bareDirectory: string;
  readonly samples: number;
  readonly log: (text: string) => void;
  isSelected(name: string): boolean;
  startServer(): Promise<void>;
};

/**
 * Starts the built server on an empty folder, loads the data set over its sockets, asks, starts it again, weighs it.
 * Everything that it starts is stopped and everything that it wrote is removed, also when the caller breaks off.
 * Throws when an answer is wrong.
 */
export async function* measure({
  dataset: options,
  only,
  samples = 40,
  signal,
  log: say,
}: MeasureOptions): AsyncGenerator<Figure> {
  if (process.platform !== 'linux') throw new Error('the benchmark reads CPU time and memory from Linux’s /proc');
  const folder = await mkdtemp(join(tmpdir(), 'openray-bench-'));
  const dataDir = join(folder, 'openray');
  const bareDirectory = join(folder, 'bare');
  const start = () => startOpenray(['--port', '0', '--data-dir', dataDir, '--log-level', 'warn']);
  let server: OpenrayProcess | undefined;
  let caller: XRayCaller | undefined;
  let bare: BareEngine | undefined;
  const startServer = async () => {
    caller?.close();
    server = await start();
    caller = newXRayCaller(server.url, 1);
  };
  // Whoever waits for an answer of theirs gets a failure, and all is cleared up below.
  const onAbort = () => {
    void server?.kill();
    void bare?.stop();
  };
  signal?.addEventListener('abort', onAbort);
  try {
    await startServer();
    bare = await startBareEngine(bareDirectory, { isNew: true });
    const run: BenchRun = {
      options,
      dataset: makeDataset(options),
      get server() {
        return server as OpenrayProcess;
      },
      get caller() {
        return caller as XRayCaller;
      },
      bare,
      serverDirectory: join(dataDir, 'clickhouse'),
      bareDirectory,
      samples,
      log: say,
      // `--only list` takes list-newest; `--only list-newest` needs the step that is called list.
      isSelected: (name) => only === undefined || name.startsWith(only) || only.startsWith(name),
      startServer,
    };
    for await (const figure of allFigures(run)) {
      if (only === undefined || figure.name.startsWith(only)) yield figure;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    caller?.close();
    await bare?.stop();
    await server?.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function* allFigures(run: BenchRun): AsyncGenerator<Figure> {
  yield* ingest(run);
  if (run.isSelected('ingest-otlp')) yield* ingestOtlp(run);
  yield* fileCreation(run);
  run.log('waiting until all of it is counted and merged');
  await untilIdle(run.server.process.pid as number);
  yield* reads(run);
  if (run.isSelected('list')) yield* readAllPages(run);
  if (run.isSelected('write')) yield* readYourWrites(run);
  if (!run.isSelected('start') && !run.isSelected('disk')) return;
  await run.bare.stop();
  if (run.isSelected('start')) yield* startUp(run);
  if (run.isSelected('disk')) yield* diskUse(run);
}
