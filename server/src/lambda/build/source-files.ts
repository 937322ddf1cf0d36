import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export type SourceFile = { readonly path: string; readonly changedMs: number; readonly bytes: number };

/** A folder with more is not looked through further. */
const FILES_MAX = 5000;
const SKIPPED = new Set(['node_modules', '__pycache__', 'venv', 'dist', 'coverage', 'cdk.out']);

/**
 * The files themselves, and those in the folders, without what is installed, built or hidden: tools keep what they
 * write all the time in hidden folders, openray's own data among them. What is gone is left out.
 */
export function sourceFiles(places: readonly string[]): readonly SourceFile[] {
  const files: SourceFile[] = [];
  const waiting = places.toReversed();
  const given = new Set(places);
  for (let path = waiting.pop(); path !== undefined && files.length < FILES_MAX; path = waiting.pop()) {
    const stats = statsOf(path);
    if (stats?.isFile()) files.push({ path, changedMs: stats.mtimeMs, bytes: stats.size });
    if (stats?.isDirectory() && (given.has(path) || !basename(path).startsWith('.'))) waiting.push(...entriesOf(path));
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
