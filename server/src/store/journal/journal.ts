import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type JournalFile, newJournalFile } from './journal-file.ts';
import { type JournalContent, readRecords } from './records.ts';

/**
 * The journal of one store: a folder of files, each with the records of one block that is not inserted yet. Only the
 * process that holds the lock of the store may open it.
 */
export type Journal = {
  newFile(): JournalFile;
  /** Files of an earlier process, the oldest first. */
  leftFiles(): Promise<readonly string[]>;
  read(name: string): Promise<JournalContent>;
  remove(name: string): Promise<void>;
  /** Keeps a file for a person to look at; it is never read again. */
  setAside(name: string): Promise<string>;
};

export type JournalOptions = {
  readonly dataDir: string;
  /** A folder is never read for another store. */
  readonly storeId: string;
  /** See JournalFileOptions. */
  readonly fsync: boolean;
};

const EXTENSION = '.journal';

export async function openJournal({ dataDir, storeId, fsync }: JournalOptions): Promise<Journal> {
  const folder = join(journalsIn(dataDir), storeId);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const session = `${String(Date.now()).padStart(14, '0')}-${randomUUID()}`;
  const pathOf = (name: string) => join(folder, `${name}${EXTENSION}`);
  let count = 0;
  return {
    newFile() {
      const name = `${session}-${String(++count).padStart(8, '0')}`;
      return newJournalFile({ name, path: pathOf(name), fsync });
    },
    leftFiles: () => namesIn(folder),
    read: async (name) => readRecords(await readFile(pathOf(name))),
    remove: (name) => unlink(pathOf(name)),
    async setAside(name) {
      const path = `${pathOf(name)}.damaged`;
      await rename(pathOf(name), path);
      return path;
    },
  };
}

/** Folders of journals, of any store, that have files which are not inserted. */
export async function foldersWithJournals(dataDir: string): Promise<readonly { storeId: string; path: string }[]> {
  const journals = journalsIn(dataDir);
  const storeIds = await readdir(journals).catch(() => []);
  const folders = storeIds.map((storeId) => ({ storeId, path: join(journals, storeId) }));
  const counts = await Promise.all(folders.map(async ({ path }) => (await namesIn(path)).length));
  return folders.filter((_, index) => (counts[index] ?? 0) > 0);
}

const journalsIn = (dataDir: string): string => join(dataDir, 'journal');

async function namesIn(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => []);
  return files
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length))
    .sort();
}
