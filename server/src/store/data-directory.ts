import { mkdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenrayError } from '../errors.ts';
import { messageOf } from './clickhouse-errors.ts';

export type DataDirectory = {
  /** The engine's own files. It locks `status` in there. */
  readonly engine: string;
  /** Blocks on their way into the engine. Nothing in it outlives the process. */
  readonly spool: string;
};

/** Less than this and the engine could not even merge what is there. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

/**
 * Creates what is missing, for the owner's eyes only, and looks at what would keep the engine from opening.
 * Throws StoreInUse or StoreUnusable with a sentence that says what to do.
 */
export async function prepareDataDirectory(dataDir: string): Promise<DataDirectory> {
  const engine = join(dataDir, 'clickhouse');
  const spool = join(dataDir, 'spool');
  const holder = await lockHolder(engine);
  if (holder !== undefined) {
    throw new OpenrayError('StoreInUse', `${dataDir} is in use by the server with process id ${holder}`);
  }
  try {
    await mkdir(engine, { recursive: true, mode: 0o700 });
    await rm(spool, { recursive: true, force: true });
    await mkdir(spool, { mode: 0o700 });
    await writeFile(join(spool, 'probe'), 'x');
    await rm(join(spool, 'probe'));
  } catch (cause) {
    throw new OpenrayError('StoreUnusable', `${dataDir} can not be written to: ${messageOf(cause)}`, { cause });
  }
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize < MIN_FREE_BYTES) {
    throw new OpenrayError(
      'StoreUnusable',
      `${dataDir} has ${Math.floor((bavail * bsize) / 1024 / 1024)} MB of free space; the store needs at least ${MIN_FREE_BYTES / 1024 / 1024} MB`,
    );
  }
  return { engine, spool };
}

/**
 * The process that holds the engine's lock, where the system tells (Linux). The engine locks the file again when it
 * opens, and that lock decides; this look only spares its message on stderr and names the process.
 * The lock is the kernel's: it ends with its process, however that ends.
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
    // No such file: nobody has ever opened it, or this system has no /proc.
    return undefined;
  }
}
