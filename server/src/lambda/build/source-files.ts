import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export type SourceFile = { readonly path: string; readonly changedMs: number; readonly bytes: number };

/** Upper bound of the files in one list; further files are ignored. */
const FILES_MAX = 5000;
const SKIPPED = new Set(['node_modules', '__pycache__', 'venv', 'dist', 'coverage', 'cdk.out']);

/**
 * The given files, and the files in the given folders. Skips folders of installed packages and build output, and hidden
 * folders: tools write to hidden folders all the time, openray to its data folder. A given folder may be hidden. Paths
 * that do not exist are ignored.
 */
export function sourceFiles(paths: readonly string[]): readonly SourceFile[] {
  const files: SourceFile[] = [];
  const waiting = paths.toReversed();
  const given = new Set(paths);
  for (let path = waiting.pop(); path !== undefined && files.length < FILES_MAX; path = waiting.pop()) {
    const stats = statsOf(path);
    if (stats?.isFile()) files.push({ path, changedMs: stats.mtimeMs, bytes: stats.size });
    if (stats?.isDirectory() && (given.has(path) || !basename(path).startsWith('.'))) waiting.push(...entriesOf(path));
  }
  return files;
}

/** A text that changes when a file is changed, added or deleted. */
export function fingerprint(paths: readonly string[]): string {
  return sourceFiles(paths)
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
