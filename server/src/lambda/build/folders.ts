import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Fills a temporary folder and renames it, so that `target` is complete or does not exist. */
export async function writeFolderAtomically(target: string, write: (dir: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const draft = await mkdtemp(`${target}.`);
  try {
    await write(draft);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  try {
    await rename(draft, target);
  } catch {
    // Another process has created the same folder first.
    await rm(draft, { recursive: true, force: true });
  }
}
