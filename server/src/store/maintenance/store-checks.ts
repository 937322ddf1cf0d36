import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { ADMISSION_SHARE } from '../admission-share.ts';
import { messageOf } from '../engine/clickhouse-errors.ts';
import type { DamagedPart } from '../engine/damaged-parts.ts';
import type { EngineProcessStatus } from '../engine/engine.ts';
import type { EngineActivity } from '../engine/watched-engine.ts';
import { sql } from '../sql.ts';
import type { DocumentCounts, Store, StoreCheck } from '../store.ts';

export type StoreCheckOptions = {
  readonly query: Store['query'];
  readonly activity: () => EngineActivity;
  /** Undefined for a remote store. */
  readonly engineProcess: () => EngineProcessStatus | undefined;
  readonly counts: () => DocumentCounts;
  readonly queueMaxBytes: number;
  readonly damagedParts: () => readonly DamagedPart[];
  readonly unconfirmedSinceUs: () => number | undefined;
  /** Folders that must exist and be writable; empty for a remote store. */
  readonly directories: readonly string[];
};

/** With less the engine could not merge existing parts: the start is refused for the same bound. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;
const MAX_NAMES = 5;
const ANSWER_TIMEOUT_MS = 2_000;
/** Longer than a query may take by default: an engine that is only busy completes a call in this time. */
const HANGING_AFTER_MS = 60_000;
/** A process of the engine that ends is back within seconds. */
const RESTARTING_MS = 30_000;
/** Without traffic no insert shows that the cause of a failure has ended. */
const INSERT_FAILURE_MS = 60_000;

/** A function that finds out what works. It takes up to ANSWER_TIMEOUT_MS and reads no rows of documents. */
export async function newStoreChecks(options: StoreCheckOptions): Promise<() => Promise<readonly StoreCheck[]>> {
  const inodes = await Promise.all(options.directories.map(async (path) => (await stat(path)).ino));
  return async () => {
    const [engine, directory, freeBytes] = await Promise.all([
      checkEngine(options),
      checkDirectories(options.directories, inodes),
      readFreeBytes(options.directories),
    ]);
    const checks: readonly (StoreCheck | undefined)[] = [
      engine.check,
      directory,
      checkDisk(freeBytes ?? engine.freeBytes),
      checkInserts(options.activity()),
      checkQueue(options.counts(), options.queueMaxBytes),
      checkParts(options.damagedParts()),
      checkClock(options.unconfirmedSinceUs()),
    ];
    return checks.filter((check) => check !== undefined);
  };
}

async function checkEngine({
  query,
  activity,
  engineProcess,
}: StoreCheckOptions): Promise<{ readonly check: StoreCheck; readonly freeBytes: number | undefined }> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const late = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const statement = sql`SELECT min(unreserved_space) AS freeBytes FROM system.disks`;
  const asking = query<{ freeBytes: number }>(statement, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
  asking.catch(() => undefined);
  try {
    const rows = await Promise.race([asking, late]);
    if (rows !== undefined) return { check: passed('engine', 'ClickHouse answers'), freeBytes: rows[0]?.freeBytes };
    return { check: slowEngine(activity()), freeBytes: undefined };
  } catch (thrown) {
    if (signal.aborted) return { check: slowEngine(activity()), freeBytes: undefined };
    const { outage } = engineProcess() ?? {};
    if (outage !== undefined) return { check: restartingEngine(outage), freeBytes: undefined };
    return {
      check: failed('engine', 'down', `ClickHouse does not answer: ${messageOf(thrown)}`),
      freeBytes: undefined,
    };
  }
}

function restartingEngine({ sinceMs, reason }: NonNullable<EngineProcessStatus['outage']>): StoreCheck {
  const awayMs = performance.now() - sinceMs;
  return awayMs < RESTARTING_MS
    ? failed('engine', 'not-ready', `ClickHouse is restarting: its process ${reason}`)
    : failed('engine', 'down', `ClickHouse cannot be restarted for ${Math.round(awayMs / 1000)} s; see the log`);
}

function slowEngine({ answeredAtMs }: EngineActivity): StoreCheck {
  const silentMs = performance.now() - answeredAtMs;
  const seconds = Math.round(silentMs / 1000);
  return silentMs > HANGING_AFTER_MS
    ? failed('engine', 'down', `ClickHouse has completed no call for ${seconds} s`)
    : failed('engine', 'not-ready', `ClickHouse did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
}

/** A removed folder stays open in the engine, which then writes to files without a name. */
async function checkDirectories(paths: readonly string[], inodes: readonly number[]): Promise<StoreCheck | undefined> {
  if (paths.length === 0) return undefined;
  for (const [index, path] of paths.entries()) {
    try {
      const { ino } = await stat(path);
      if (ino !== inodes[index]) {
        return failed('directory', 'down', `${path} was removed and made again; restart openray`);
      }
      await access(path, constants.R_OK | constants.W_OK);
    } catch (thrown) {
      const isMissing = (thrown as { code?: string }).code === 'ENOENT';
      const reason = isMissing ? 'was removed; restart openray' : `cannot be written to: ${messageOf(thrown)}`;
      return failed('directory', 'down', `${path} ${reason}`);
    }
  }
  return passed('directory', 'The data directory can be written to');
}

async function readFreeBytes([path]: readonly string[]): Promise<number | undefined> {
  if (path === undefined) return undefined;
  const found = await statfs(path).catch(() => undefined);
  return found && found.bavail * found.bsize;
}

function checkDisk(freeBytes: number | undefined): StoreCheck | undefined {
  if (freeBytes === undefined) return undefined;
  const [freeMb, neededMb] = [freeBytes, MIN_FREE_BYTES].map((bytes) => Math.floor(bytes / 1024 / 1024));
  return freeBytes >= MIN_FREE_BYTES
    ? passed('disk', `The disk of the data has ${freeMb} MB left`)
    : failed('disk', 'not-ready', `The disk of the data has ${freeMb} MB left and needs ${neededMb} MB`);
}

function checkInserts({ insertFailure }: EngineActivity): StoreCheck {
  if (insertFailure === undefined || performance.now() - insertFailure.atMs > INSERT_FAILURE_MS) {
    return passed('inserts', 'Documents can be stored');
  }
  return failed('inserts', 'not-ready', `The last insert failed: ${insertFailure.reason}`);
}

function checkQueue({ queuedBytes }: DocumentCounts, maxBytes: number): StoreCheck {
  const sentence = `${queuedBytes} of at most ${maxBytes} bytes wait to be stored`;
  return queuedBytes < maxBytes * ADMISSION_SHARE ? passed('queue', sentence) : failed('queue', 'not-ready', sentence);
}

function checkParts(parts: readonly DamagedPart[]): StoreCheck {
  if (parts.length === 0) return passed('parts', 'No query found a damaged part');
  const names = parts.slice(0, MAX_NAMES).map(({ table, name }) => `${table} ${name}`);
  const more = parts.length > MAX_NAMES ? ` and ${parts.length - MAX_NAMES} more` : '';
  return failed('parts', 'degraded', `Damaged parts are left out, see openray repair: ${names.join(', ')}${more}`);
}

function checkClock(unconfirmedSinceUs: number | undefined): StoreCheck {
  if (unconfirmedSinceUs === undefined) return passed('clock', 'The clock is trusted');
  const since = new Date(unconfirmedSinceUs / 1000).toISOString();
  const sentence = `The clock jumped to ${since}: for a day, or until a start with --retention-trust-clock true, nothing is deleted by age`;
  return failed('clock', 'degraded', sentence);
}

const passed = (name: string, sentence: string): StoreCheck => ({ name, state: 'ok', sentence });
const failed = (name: string, state: Exclude<StoreCheck['state'], 'ok'>, sentence: string): StoreCheck => ({
  name,
  state,
  sentence,
});
