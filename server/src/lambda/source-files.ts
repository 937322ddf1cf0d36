import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

export type SourceFile = { readonly path: string; readonly changedMs: number; readonly bytes: number };

/** A folder with more is not looked through further. */
const FILES_MAX = 5000;
const SKIPPED = new Set(['node_modules', '.aws-sam', '.git', '__pycache__', '.venv', 'venv', 'dist']);

/** The files themselves, and those in the folders, without what is installed or built. What is gone is left out. */
export function sourceFiles(places: readonly string[]): readonly SourceFile[] {
  const files: SourceFile[] = [];
  const waiting = places.toReversed();
  for (let path = waiting.pop(); path !== undefined && files.length < FILES_MAX; path = waiting.pop()) {
    const stats = statsOf(path);
    if (stats?.isFile()) files.push({ path, changedMs: stats.mtimeMs, bytes: stats.size });
    if (stats?.isDirectory()) waiting.push(...entriesOf(path));
  }
  return files;
}

/** A text that changes when one of the files does, or when one comes or goes. */
export function fingerprint(places: readonly string[]): string {
  return sourceFiles(places)
    .map(({ path, changedMs, bytes }) => `${path} ${changedMs} ${bytes}`)
    .join('\n');
}

function statsOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function entriesOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => !SKIPPED.has(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}
