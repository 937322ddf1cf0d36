import { mkdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { messageOf } from './clickhouse-errors.ts';

export type DataDirectory = {
  /** The engine's own files. The engine locks the file `status`. */
  readonly engine: string;
  /** Blocks that the engine is about to read. Emptied at the start of a process. */
  readonly spool: string;
};

/** Folders of the engine's files and of blocks that the engine is about to read. */
export function dataDirectories(dataDir: string): readonly [string, string] {
  return [join(dataDir, 'clickhouse'), join(dataDir, 'spool')];
}

/** With less free space the engine could not merge existing parts. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

/**
 * Creates missing directories, readable by their owner only, and checks for conditions in which the engine cannot open.
 * Throws StoreInUse or StoreUnusable with a sentence for the operator.
 */
export async function prepareDataDirectory(dataDir: string): Promise<DataDirectory> {
  const [engine, spool] = dataDirectories(dataDir);
  const holder = await lockHolder(engine);
  if (holder !== undefined) {
    throw new OpenrayError(
      'StoreInUse',
      `${dataDir} is in use by the server with process id ${holder}: call that server with --endpoint-url URL (it printed its address at the start), end it, or name another folder with --data-dir DIR and another port with --port`,
    );
  }
  try {
    await mkdir(engine, { recursive: true, mode: 0o700 });
    await rm(spool, { recursive: true, force: true });
    await mkdir(spool, { mode: 0o700 });
    await writeFile(join(spool, 'probe'), 'x');
    await rm(join(spool, 'probe'));
  } catch (cause) {
    throw new OpenrayError('StoreUnusable', `${dataDir} cannot be written to: ${messageOf(cause)}`, { cause });
  }
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize < MIN_FREE_BYTES) {
    const [freeMb, neededMb] = [bavail * bsize, MIN_FREE_BYTES].map((bytes) => Math.floor(bytes / 1024 / 1024));
    throw new OpenrayError(
      'StoreUnusable',
      `${dataDir} has ${freeMb} MB of free space; the store needs at least ${neededMb} MB`,
    );
  }
  return { engine, spool };
}

/**
 * Process id of the holder of the engine's lock, on Linux only. The engine locks the file again when it opens, and that
 * lock decides. This check only avoids the engine's message on stderr, and names the process.
 * The kernel releases the lock when its process ends, also after SIGKILL.
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
