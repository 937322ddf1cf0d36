import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenrayProcess, startOpenray } from '../scripts/openray.ts';
import { type BareEngine, startBareEngine } from './load/bare-client.ts';
import type { BenchRun } from './load/bench-run.ts';
import type { Figure } from './load/figure.ts';
import { diskUse, fileCreation, startUp } from './load/footprint.ts';
import { type DatasetOptions, makeDataset } from './load/generate.ts';
import { ingest, untilIdle } from './load/ingest.ts';
import { ingestOtlp } from './load/otlp.ts';
import { readAllPages, reads, readYourWrites } from './load/reads.ts';
import { newXRayCaller, type XRayCaller } from './load/send.ts';

export type MeasureOptions = {
  readonly dataset: DatasetOptions;
  /** Only figures whose names start with this. The whole data set is loaded in any case. */
  readonly only?: string | undefined;
  /** Most samples of a query; slow queries have fewer. */
  readonly samples?: number;
  /** Aborts the run; started processes are stopped and written files removed all the same. */
  readonly signal?: AbortSignal;
  /** Called with a line of progress. */
  readonly log: (text: string) => void;
};

/**
 * Starts the built server on an empty folder, loads the data set over its sockets, queries it, restarts it, and
 * measures its disk use. Stops all processes and removes all files at the end, also when the caller aborts.
 * Throws when a response is wrong.
 */
export async function* measure({
  dataset: options,
  only,
  samples = 40,
  signal,
  log,
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
  // Pending requests to the killed processes fail, and the finally block below cleans up.
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
      log,
      // `--only list` selects list-newest; `--only list-newest` needs the step named list.
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
  run.log('waiting for roll-up and merges');
  await untilIdle(run.server.process.pid as number);
  yield* reads(run);
  if (run.isSelected('list')) yield* readAllPages(run);
  if (run.isSelected('write')) yield* readYourWrites(run);
  if (!run.isSelected('start') && !run.isSelected('disk')) return;
  await run.bare.stop();
  if (run.isSelected('start')) yield* startUp(run);
  if (run.isSelected('disk')) yield* diskUse(run);
}
