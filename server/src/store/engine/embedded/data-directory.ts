import { mkdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../../../errors.ts';
import { messageOf } from '../clickhouse-errors.ts';
import { lockDirectory } from './directory-lock.ts';

/** A data directory that this process has locked. */
export type DataDirectory = {
  /** The engine's own files. The engine locks the file `status`. */
  readonly engine: string;
  /** Blocks that the engine is about to read. Emptied at the start of a process. */
  readonly spool: string;
  release(): Promise<void>;
};

/** Folders of the engine's files and of blocks that the engine is about to read. */
export function dataDirectories(dataDir: string): readonly [string, string] {
  return [join(dataDir, 'clickhouse'), join(dataDir, 'spool')];
}

/** With less free space the engine could not merge existing parts. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

/** A process of the engine ends when its server was killed. */
const ORPHAN_TIMEOUT_MS = 2_000;
const ORPHAN_POLL_MS = 20;

/**
 * Locks the directory, creates missing ones in it, readable by their owner only, and checks for conditions in which the
 * engine cannot open. Throws StoreInUse or StoreUnusable with a sentence for the operator.
 */
export async function prepareDataDirectory(dataDir: string): Promise<DataDirectory> {
  const [engine, spool] = dataDirectories(dataDir);
  await mkdir(engine, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw notWritable(dataDir, cause);
  });
  const lock = await lockDirectory(dataDir);
  if (!('release' in lock)) throw inUse(dataDir, lock.pid);
  try {
    await untilEngineUnlocked(dataDir, engine);
    await emptySpool(dataDir, spool);
    await requireSpace(dataDir);
    return { engine, spool, release: lock.release };
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

async function untilEngineUnlocked(dataDir: string, engine: string): Promise<void> {
  const deadline = performance.now() + ORPHAN_TIMEOUT_MS;
  for (let pid = await lockHolder(engine); pid !== undefined; pid = await lockHolder(engine)) {
    if (performance.now() > deadline) throw inUse(dataDir, pid);
    await delay(ORPHAN_POLL_MS);
  }
}

async function emptySpool(dataDir: string, spool: string): Promise<void> {
  try {
    await rm(spool, { recursive: true, force: true });
    await mkdir(spool, { mode: 0o700 });
    await writeFile(join(spool, 'probe'), 'x');
    await rm(join(spool, 'probe'));
  } catch (cause) {
    throw notWritable(dataDir, cause);
  }
}

async function requireSpace(dataDir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize >= MIN_FREE_BYTES) return;
  const [freeMb, neededMb] = [bavail * bsize, MIN_FREE_BYTES].map((bytes) => Math.floor(bytes / 1024 / 1024));
  throw new OpenrayError(
    'StoreUnusable',
    `${dataDir} has ${freeMb} MB of free space; the store needs at least ${neededMb} MB`,
  );
}

const notWritable = (dataDir: string, cause: unknown) =>
  new OpenrayError('StoreUnusable', `${dataDir} cannot be written to: ${messageOf(cause)}`, { cause });

function inUse(dataDir: string, pid: number | undefined): OpenrayError {
  const server = pid === undefined ? 'another server' : `the server with process id ${pid}`;
  return new OpenrayError(
    'StoreInUse',
    `${dataDir} is in use by ${server}: call that server with --endpoint-url URL (it printed its address at the start), end it, or name another folder with --data-dir DIR and another port with --port`,
  );
}

/**
 * Process id of the holder of the engine's lock, on Linux only: the process of the engine of a server that was killed
 * just now, or another program. The engine locks the file again when it opens, and that lock decides. The kernel
 * releases the lock when its process ends, also after SIGKILL.
 */
async function lockHolder(engine: string): Promise<number | undefined> {
  try {
    const path = join(engine, 'status');
    const [{ ino }, status, locks] = await Promise.all([
      stat(path),
      readFile(path, 'utf8'),
      readFile('/proc/locks', 'utf8'),
    ]);
    const pid = /^PID: (\d+)/m.exec(status)?.[1];
    // "1: FLOCK  ADVISORY  WRITE 4711 fd:01:123456 0 EOF"
    const held = locks.split('\n').map((line) => line.trim().split(/\s+/));
    const isHeld = held.some(
      ([, kind, , , holder, file]) => kind === 'FLOCK' && holder === pid && file?.endsWith(`:${ino}`),
    );
    return isHeld ? Number(pid) : undefined;
  } catch {
    // No such file: the directory was never opened, or this system has no /proc.
    return undefined;
  }
}
