import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RECORDER = fileURLToPath(new URL('./record-syncs.cjs', import.meta.url));

/** Environment in which a server writes each sync of its journal to `syncLog`. */
export function recordingEnvironment(syncLog: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--require ${RECORDER}`, KILLS_SYNC_LOG: syncLog };
}

/** Bytes of each journal file that a sync has confirmed, by the path of the file. The last line may be cut off. */
export function confirmedBytes(syncLog: string): ReadonlyMap<string, number> {
  const lines = syncLog.split('\n').slice(0, -1);
  const pairs = lines.map((line) => {
    const space = line.indexOf(' ');
    return [line.slice(space + 1), Number(line.slice(0, space))] as const;
  });
  return new Map(pairs);
}

/**
 * Puts a copy of a data directory, whose processes are stopped, in its place: the engine knows its path. The files are
 * hard links, which cost neither space nor time.
 */
export function copyInPlace(dataDir: string): void {
  const before = `${dataDir}-before`;
  renameSync(dataDir, before);
  execFileSync('cp', ['--archive', '--link', before, dataDir]);
  rmSync(before, { recursive: true });
}

/** Cuts each journal file back to its last confirmed sync, as a power loss may. Returns the bytes that were cut off. */
export function cutJournals(dataDir: string, syncLog: string): number {
  const confirmed = confirmedBytes(syncLog);
  let cut = 0;
  for (const path of journalsBelow(join(dataDir, 'journal'))) {
    const { size } = statSync(path);
    const keeps = Math.min(size, confirmed.get(path) ?? 0);
    cut += size - keeps;
    truncateSync(path, keeps);
  }
  return cut;
}

function journalsBelow(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return entries.filter((name) => name.endsWith('.journal')).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
