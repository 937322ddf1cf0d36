import { spawnSync } from 'node:child_process';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const CHUNK_BYTES = 16 * 1024 * 1024;

/** A disk that can be filled. */
export type SmallDisk = {
  /** Writes a file until no byte is free. */
  fill(): Promise<void>;
  /** Removes that file. */
  empty(): Promise<void>;
  unmount(): void;
};

/** Mounts a file system in memory at the path, which needs root on Linux; undefined where that is not possible. */
export function mountSmallDisk(path: string, megabytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]).status !== 0) return undefined;
  const ballast = join(path, 'ballast');
  return {
    async fill() {
      const { bavail, bsize } = await statfs(path);
      for (let free = bavail * bsize; free > 0; free -= CHUNK_BYTES) {
        // The server writes meanwhile, so that the last bytes may not fit.
        const bytes = Buffer.alloc(Math.min(free, CHUNK_BYTES));
        await writeFile(ballast, bytes, { flag: 'a' }).catch(() => undefined);
      }
    },
    empty: () => rm(ballast, { force: true }),
    unmount: () => void spawnSync('umount', ['--lazy', path]),
  };
}
