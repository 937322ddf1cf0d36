import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Concurrent queries. */
export const DEFAULT_POOL_SIZE = 4;
/** One session for inserts, one for commands, one for cancelling. */
export const OWN_SESSIONS = 3;
/** Threads for loading files. */
const SPARE_THREADS = 2;

/** UV_THREADPOOL_SIZE of a process with these sessions: each running call occupies one thread of libuv. */
const threadsFor = (poolSize: number): number => poolSize + OWN_SESSIONS + SPARE_THREADS;

/** The process has few objects of JavaScript: results pass through it as bytes. */
const NODE_FLAGS = ['--max-semi-space-size=2'];
/**
 * Two allocators. The engine's own, jemalloc, keeps freed memory for 5 s by default, which is longer than the pause
 * between two inserts, so that the memory of several is kept. glibc's, for results, keeps as much as the largest ones
 * took until it has fixed bounds: 40 MB. Variables of the user win.
 */
const ALLOCATORS = {
  JE_MALLOC_CONF: 'dirty_decay_ms:1000',
  MALLOC_MMAP_THRESHOLD_: String(1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(1024 * 1024),
};
let program: readonly string[] | undefined;

type EarlyEngine = { readonly process: ChildProcess; readonly poolSize: number };
let early: EarlyEngine | undefined;

/**
 * Starts a process that `takeEngineProcess` returns later. The engine's library takes as long to load as the rest of the
 * server, so that the process is started before the rest is loaded. It waits for its options and ends with this one.
 */
export function startEngineEarly(poolSize: number): ChildProcess {
  const process = spawnEngine(poolSize);
  early = { process, poolSize };
  // A process that cannot be started is not used.
  return process.on('error', () => {});
}

/** The process that was started early, unless it has ended or is of another size; else a new one. */
export function takeEngineProcess(poolSize: number): ChildProcess {
  const started = early;
  early = undefined;
  if (started === undefined) return spawnEngine(poolSize);
  if (started.poolSize === poolSize && isRunning(started.process)) return started.process;
  started.process.kill('SIGKILL');
  return spawnEngine(poolSize);
}

/** For a store that has no embedded engine. */
export function endEarlyEngine(): void {
  early?.process.kill('SIGKILL');
  early = undefined;
}

const isRunning = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid !== undefined && exitCode === null && signalCode === null;

function spawnEngine(poolSize: number): ChildProcess {
  return spawn(process.execPath, [...NODE_FLAGS, ...programArguments()], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    // biome-ignore lint/style/noProcessEnv: libuv reads the size of its thread pool there
    env: { ...ALLOCATORS, ...process.env, UV_THREADPOOL_SIZE: String(threadsFor(poolSize)) },
  });
}

/** From source, as tests run it, the program is bundled: a loader of TypeScript would take longer than the engine. */
function programArguments(): readonly string[] {
  if (program !== undefined) return program;
  const isSource = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(new URL(`./engine-process.${isSource ? 'ts' : 'js'}`, import.meta.url));
  program = isSource ? ['--input-type=module', '--eval', bundleOf(path)] : [path];
  return program;
}

function bundleOf(path: string): string {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const { outputFiles } = buildSync({
    ...{ entryPoints: [path], bundle: true, write: false, external: ['chdb'] },
    ...{ platform: 'node', format: 'esm', target: 'node20' },
  });
  return outputFiles[0]?.text ?? '';
}
