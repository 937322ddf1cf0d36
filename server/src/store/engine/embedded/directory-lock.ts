import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { link, rename, stat, unlink } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';

export type DirectoryLock = { release(): Promise<void> };
/** The process that has a lock; without its id if it does not respond. */
export type LockHolder = { readonly pid: number | undefined };

/** Enough for a name in this folder: a path of a socket has at most 103 bytes on macOS, 107 on Linux. */
const MAX_SOCKET_PATH_BYTES = 103;
const RESPONSE_TIMEOUT_MS = 1_000;
const MAX_ATTEMPTS = 20;

/**
 * Locks a data directory for this process, or returns the process that has the lock. The lock is a socket in the
 * directory with its holder listening: the kernel closes it with the process, also after SIGKILL, and a file that
 * is left over refuses connections. Where no socket can be made, such as on some shared folders of virtual machines, the
 * engine's own lock remains. That one is free while the process of the engine restarts.
 */
export async function lockDirectory(dataDir: string): Promise<DirectoryLock | LockHolder> {
  const path = join(dataDir, 'lock');
  // Listens before it gets the name of the lock, which `link` gives to one process only.
  const own = `${path}-${randomBytes(4).toString('hex')}`;
  if (Buffer.byteLength(own) > MAX_SOCKET_PATH_BYTES) return { release: async () => {} };
  const server = createServer((connection) => connection.on('error', () => {}).end(String(process.pid))).unref();
  const close = async () => {
    await unlink(own).catch(() => {});
    server.close();
  };
  try {
    await once(server.listen(own), 'listening');
    const { ino } = await stat(own);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await isLinked(own, path)) {
        await unlink(own);
        return {
          async release() {
            const isOwn = await stat(path)
              .then((found) => found.ino === ino)
              .catch(() => false);
            if (isOwn) await unlink(path);
            await close();
          },
        };
      }
      const holder = (await holderOf(path)) ?? (await removeLeftOver(path, `${own}-old`));
      if (holder !== undefined) {
        await close();
        return holder;
      }
    }
    await close();
    return { pid: undefined };
  } catch {
    await close();
    return { release: async () => {} };
  }
}

async function isLinked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

/**
 * Removes a lock without a holder. Another process may have replaced it since: then puts that lock back, and returns
 * its holder.
 */
async function removeLeftOver(path: string, aside: string): Promise<LockHolder | undefined> {
  try {
    await rename(path, aside);
  } catch {
    // Another process has removed it.
    return undefined;
  }
  const holder = await holderOf(aside);
  if (holder !== undefined) await link(aside, path).catch(() => {});
  await unlink(aside);
  return holder;
}

/** Undefined without a listening process. */
async function holderOf(path: string): Promise<LockHolder | undefined> {
  const connection = createConnection(path);
  try {
    let text = '';
    connection.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
    await once(connection, 'end', { signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS) });
    return { pid: Number(text) };
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === 'ECONNREFUSED' || code === 'ENOENT' ? undefined : { pid: undefined };
  } finally {
    connection.on('error', () => {}).destroy();
  }
}
