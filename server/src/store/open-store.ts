import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import { MIGRATIONS } from '../package/files.ts';
import { DAMAGED_REASON, type DamagedPart, leaveOutDamagedParts } from './engine/damaged-parts.ts';
import { dataDirectories, prepareDataDirectory } from './engine/embedded/data-directory.ts';
import { openEmbedded } from './engine/embedded/embedded.ts';
import { endEarlyEngine } from './engine/embedded/engine-spawn.ts';
import type { CallOptions, Engine } from './engine/engine.ts';
import type { RemoteOptions } from './engine/remote.ts';
import { parseStoreUrl, type StoreUrl } from './engine/store-url.ts';
import { watchEngine } from './engine/watched-engine.ts';
import { flushWithin } from './flush-within.ts';
import { foldersWithJournals, type Journal, openJournal } from './journal/journal.ts';
import { type BackupOptions, backUp, requireBackupName } from './maintenance/backup.ts';
import { type MaintenanceLock, newMaintenanceLock } from './maintenance/maintenance-lock.ts';
import { findDamagedParts, readSetAsideParts } from './maintenance/repair.ts';
import { readRetentionWatermarks, recordIncomplete, startPruning } from './maintenance/retention.ts';
import { newStoreChecks } from './maintenance/store-checks.ts';
import { openTrustedClock } from './maintenance/trusted-clock.ts';
import { readEngineStatistics, readUsage } from './maintenance/usage.ts';
import { NO_RECENT_DOCUMENTS, newRecentDocuments } from './recent-documents.ts';
import { migrate, readMigrations, readSchema } from './schema/migrate.ts';
import { areTracesColocated } from './schema/shard-layout.ts';
import { parseRows, renderSql, type Sql, sql } from './sql.ts';
import type { QueryOptions, Store, TableCopy } from './store.ts';
import { readStoreId } from './store-id.ts';
import { TRACE_BOUNDS, type TraceBounds } from './trace-bounds.ts';
import type { LeftFile } from './write/block.ts';
import { createGroupCommit, type GroupCommit } from './write/group-commit.ts';
import { readLeftFiles } from './write/replay.ts';

export type StoreOptions = {
  /** URL of a ClickHouse server or cluster; undefined for the embedded engine with its data in `dataDir`. */
  readonly storeUrl?: string | undefined;
  readonly dataDir: string;
  /** Maximum number of concurrent queries. */
  readonly poolSize: number;
  readonly maxQueryMs: number;
  readonly maxQueryMemoryBytes: number;
  readonly engineMemoryBytes: number;
  /** See GroupCommitOptions. */
  readonly queueMaxBytes: number;
  /** Recent documents that are kept in memory until they are rolled up. */
  readonly recentMaxBytes: number;
  /**
   * Acknowledge documents once they are in the journal of the data directory. Without effect on a remote store, whose
   * other servers could not read the journal.
   */
  readonly journal: boolean;
  /** Documents that arrived longer ago are dropped; 0 keeps them. */
  readonly retentionDays: number;
  /** See RetentionLimits: shorter than `retentionDays` if a rule keeps some traces longer. */
  readonly retentionDefaultDays?: number | undefined;
  /** The oldest documents are dropped when the store is larger on disk; 0 keeps them. */
  readonly retentionBytes: number;
  /** Delete by age at once after the clock moved by more than a day; else a day later. */
  readonly retentionTrustClock: boolean;
  /** Acknowledge documents only once they have reached the disk, for machines that may lose power. */
  readonly fsync: boolean;
  /** Folder of the embedded store's backups. */
  readonly backupDir: string;
  /** Disk of a remote ClickHouse for backups; undefined for its `backups.allowed_path`. */
  readonly backupDisk?: string | undefined;
  /** Other bounds than before leave the counts of the traces between both in the service graph until retention. */
  readonly traceBounds?: TraceBounds | undefined;
  /** Called when the engine begins to open, or the first connection to a remote one. Until it is open, this process is idle. */
  readonly onOpening?: () => void;
  readonly log: StoreLog;
};

type StoreLog = {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
};

/** Time for a remote store to become reachable: both may be started at the same time. */
const CONNECT_TIMEOUT_MS = 30_000;
const CONNECT_RETRY_MS = 500;

/**
 * Opens the store and brings its schema up to date. Throws StoreInUse, StoreUnusable, ServiceUnavailable or
 * SettingInvalid with a sentence for the operator.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.storeUrl === undefined) return openEmbeddedStore(options);
  endEarlyEngine();
  options.onOpening?.();
  const url = parseStoreUrl(options.storeUrl);
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      return await openRemoteStore(url, options);
    } catch (thrown) {
      const isUnreachable = thrown instanceof OpenrayError && thrown.code === 'ServiceUnavailable';
      if (!isUnreachable || performance.now() > deadline) throw thrown;
      options.log.warn({ reason: thrown.message }, 'the store is unreachable; retrying');
      await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS));
    }
  }
}

async function openEmbeddedStore(options: StoreOptions): Promise<Store> {
  const engine = await migrateEngine(await openEmbeddedEngine(options), options);
  let opened: OpenedJournal;
  try {
    const database = databaseOf(engine, options);
    const [storeId, { droppedBeforeUs }] = await Promise.all([
      readStoreId(database),
      readRetentionWatermarks(database),
    ]);
    await warnOfOtherJournals(options, storeId);
    const journal = await openJournal({ ...options, storeId });
    opened = { journal, left: await readLeftFiles(journal, { droppedBeforeUs, log: options.log }) };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
  return storeOver(engine, options, opened);
}

/** For example of a store whose other files were deleted. */
async function warnOfOtherJournals({ dataDir, log }: StoreOptions, ownId: string): Promise<void> {
  for (const { storeId, path } of await foldersWithJournals(dataDir)) {
    if (storeId !== ownId) log.warn({ path }, 'a journal belongs to another store and is not inserted');
  }
}

/** ClickHouse's client is loaded only for a remote store. */
async function openRemote(options: RemoteOptions): Promise<Engine> {
  const remote = await import('./engine/remote.ts');
  return remote.openRemote(options);
}

/** A running ClickHouse with its database, without migrating it. Throws as `openStore` does. */
export async function openEngine(options: StoreOptions): Promise<Engine> {
  if (options.storeUrl === undefined) return openEmbeddedEngine(options);
  return openRemote(remoteOptions(options, parseStoreUrl(options.storeUrl)));
}

const remoteOptions = ({ poolSize, backupDisk }: StoreOptions, url: StoreUrl) => ({
  url,
  poolSize,
  backupDisk,
  areTracesColocated: false,
});

/** Opens a cluster twice: its own tables say whether traces are colocated, which decides the settings of queries. */
async function openRemoteStore(url: StoreUrl, options: StoreOptions): Promise<Store> {
  const remote = remoteOptions(options, url);
  const engine = await migrateEngine(await openRemote(remote), options);
  if (url.cluster === undefined) return storeOver(engine, options);
  try {
    const database = databaseOf(engine, options);
    const { droppedBeforeUs } = await readRetentionWatermarks(database);
    const isColocated = await areTracesColocated(database, url.cluster.name, droppedBeforeUs);
    if (!isColocated) {
      options.log.warn({}, 'shards were added: queries read every shard until retention has dropped the older traces');
      return await storeOver(engine, options);
    }
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
  await engine.close();
  return storeOver(await openRemote({ ...remote, areTracesColocated: true }), options);
}

async function openEmbeddedEngine({
  dataDir,
  poolSize,
  engineMemoryBytes,
  backupDir,
  onOpening,
  log,
}: StoreOptions): Promise<Engine> {
  const { engine: directory, spool, release } = await prepareDataDirectory(dataDir);
  try {
    const opening = openEmbedded({
      directory,
      spoolDirectory: spool,
      poolSize,
      engineMemoryBytes,
      backupDir,
      log,
    });
    onOpening?.();
    const engine = await opening;
    return {
      ...engine,
      async close() {
        await engine.close();
        await release();
      },
    };
  } catch (thrown) {
    await release();
    throw thrown;
  }
}

/** Migrates the schema to this version. Closes the engine on failure. */
async function migrateEngine(engine: Engine, options: StoreOptions): Promise<Engine> {
  try {
    // A cluster has tables of its own kind, which only the migrations make.
    const schema = options.storeUrl === undefined ? await readSchema(MIGRATIONS) : undefined;
    await migrate(engine, await readMigrations(MIGRATIONS), schema);
    await applyFsync(engine, options.fsync);
    return engine;
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

type Database = Pick<Store, 'query' | 'stream' | 'command'>;

/** Queries and commands with the limits of the options. */
export function databaseOf(engine: Engine, { maxQueryMs, maxQueryMemoryBytes }: StoreOptions): Database {
  const limits = (options: QueryOptions = {}): CallOptions => ({
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? maxQueryMs,
    maxMemoryBytes: options.maxMemoryBytes ?? maxQueryMemoryBytes,
    onIncomplete: options.onIncomplete,
    insertToken: options.insertToken,
    cutAt: options.cutAt,
  });
  return {
    async query<Row>(statement: Sql, options?: QueryOptions): Promise<readonly Row[]> {
      return parseRows<Row>(await engine.query(renderSql(statement), limits(options)));
    },
    async *stream<Row>(statement: Sql, options?: QueryOptions): AsyncIterable<Row> {
      for await (const lines of engine.stream(renderSql(statement), limits(options))) yield* parseRows<Row>(lines);
    },
    command: (statement: Sql, options?: QueryOptions) => engine.command(renderSql(statement), limits(options)),
  };
}

type OpenedJournal = { readonly journal: Journal | undefined; readonly left: readonly LeftFile[] };

async function storeOver(
  opened: Engine,
  options: StoreOptions,
  { journal, left }: OpenedJournal = { journal: undefined, left: [] },
): Promise<Store> {
  const watched = watchEngine(opened);
  const { activity } = watched;
  const onFound = (part: DamagedPart) => options.log.warn(part, DAMAGED_SENTENCE);
  const [known, initialWatermarks] = await Promise.all([
    readSetAsideParts(databaseOf(opened, options)),
    readRetentionWatermarks(databaseOf(opened, options)),
  ]).catch(async (thrown) => {
    await opened.close();
    throw thrown;
  });
  for (const part of known) onFound(part);
  const { engine, damagedParts, setKnown } = leaveOutDamagedParts(watched.engine, {
    known,
    onFound,
    async search() {
      const parts = await findDamagedParts(databaseOf(watched.engine, options));
      return parts.filter(({ isSetAside }) => !isSetAside).map(({ table, name, reason }) => ({ table, name, reason }));
    },
  });
  opened.process?.onRestart(async (restarted) => {
    setKnown(await readSetAsideParts(databaseOf({ ...opened, ...restarted }, options)));
  });
  /** Other servers may use the same store. */
  const isShared = options.storeUrl !== undefined;
  const serverNumber = isShared ? randomInt(1, 2 ** 32) : 0;
  /** Commands, and inserts of rows that are made from documents. */
  const changes = { begun: 0, ended: 0 };
  const counted = async (change: Promise<void>) => {
    changes.begun += 1;
    await change.finally(() => {
      changes.ended += 1;
    });
  };
  const unwatched = databaseOf(engine, options);
  const database: Database = {
    ...unwatched,
    command: (...call) => counted(unwatched.command(...call)),
  };
  const storedSeq = await lastSeqOf(database).catch(async (thrown) => {
    await engine.close();
    throw thrown;
  });
  const lastSeq = Math.max(storedSeq, ...left.map((file) => file.lastSeq));
  let watermarks = initialWatermarks;
  const clock = await openTrustedClock(database, {
    lastSeq,
    isShared,
    trustsJumps: options.retentionTrustClock,
    onJump: (readings) =>
      options.log.warn(
        readings,
        'the clock moved by more than a day: nothing is deleted by age for a day, or until it starts with --retention-trust-clock true',
      ),
  }).catch(async (thrown) => {
    await engine.close();
    throw thrown;
  });
  const recent = isShared ? NO_RECENT_DOCUMENTS : newRecentDocuments(lastSeq, options.recentMaxBytes);
  const insertListeners = new Set<(lastSeq: number) => void>();
  const commits = createGroupCommit({
    ...options,
    insert: engine.insert,
    serverNumber,
    newJournalFile: options.journal ? journal?.newFile : undefined,
    left,
    recent,
    onInserted(insertedSeq) {
      for (const listener of insertListeners) listener(insertedSeq);
    },
  });
  void logReplay(commits, options.log);
  const limits = {
    days: options.retentionDays,
    bytes: options.retentionBytes,
    defaultDays: options.retentionDefaultDays,
  };
  const maintenanceLock = newMaintenanceLock(database, isShared);
  const retention = startPruning({ ...database, parts: engine.parts }, limits, {
    clock,
    maintenanceLock,
    isComplete: commits.replayed,
    onPruned(pruned) {
      recent.evict(pruned.beforeUs);
      options.log.info(pruned, 'old documents dropped');
    },
    onWatermarks(read) {
      watermarks = read;
    },
    onFailed: (reason) => options.log.warn({ reason }, 'retention failed'),
  });
  const checks = await newStoreChecks({
    query: database.query,
    activity,
    engineProcess: () => engine.process?.status(),
    counts: commits.counts,
    queueMaxBytes: options.queueMaxBytes,
    damagedParts,
    unconfirmedSinceUs: clock.unconfirmedSinceUs,
    directories: isShared ? [] : dataDirectories(options.dataDir),
  });
  return {
    ...database,
    append: (documents: readonly Document[]) => commits.append(documents),
    flush: (flushOptions) => flushWithin(commits.flush, flushOptions),
    contentVersion() {
      const { received, queued, queuedBytes } = commits.counts();
      if (isShared || queued > 0 || queuedBytes > 0 || changes.begun > changes.ended) return undefined;
      return [received, changes.ended, damagedParts().length].join(' ');
    },
    onInserted(listener) {
      insertListeners.add(listener);
      return () => insertListeners.delete(listener);
    },
    insert: (block) => counted(engine.insert(block)),
    lowWatermark: commits.lowWatermark,
    recent,
    traceBounds: options.traceBounds ?? TRACE_BOUNDS,
    lastSeq,
    isShared,
    serverNumber,
    async *backUp(name, signal) {
      requireBackupName(name);
      await flushWithin(commits.flush, { signal, timeoutMs: BACKUP_FLUSH_TIMEOUT_MS });
      yield* backUpUnderLock(engine, maintenanceLock, { name, signal });
    },
    clock,
    damagedParts,
    damageReason: () => (damagedParts().length > 0 ? DAMAGED_REASON : undefined),
    acquireMaintenanceLock: maintenanceLock.acquire,
    async recordIncomplete(beforeUs) {
      await recordIncomplete(database, beforeUs);
      recent.evict(beforeUs);
      watermarks = { ...watermarks, prunedBeforeUs: Math.max(beforeUs, watermarks.prunedBeforeUs ?? 0) };
    },
    statistics: () => ({ ...commits.counts(), ...watermarks, replayed: commits.replayedCount() }),
    checks,
    engineProcess: () => engine.process?.status(),
    engineStatistics: (queryOptions) => readEngineStatistics(database, engine.parts, queryOptions),
    async usage(queryOptions?: QueryOptions) {
      const stored = await readUsage(database, engine.parts, queryOptions);
      return { ...stored, queueMaxBytes: options.queueMaxBytes, retention: limits };
    },
    async close() {
      await Promise.all([commits.close(), retention.stop()]);
      await engine.close();
    },
  };
}

async function logReplay(commits: GroupCommit, log: StoreLog): Promise<void> {
  const startMs = performance.now();
  await commits.replayed;
  const [documents, ms] = [commits.replayedCount(), Math.round(performance.now() - startMs)];
  if (documents > 0) log.info({ documents, ms }, 'documents of the journal inserted');
}

const BACKUP_FLUSH_TIMEOUT_MS = 60_000;
const DAMAGED_SENTENCE = 'a damaged part is left out of every response; openray repair detaches it';

async function lastSeqOf(database: Database): Promise<number> {
  // A server starts even if a shard cannot be reached.
  const options = { onIncomplete: () => undefined };
  const rows = await database.query<{ last: number }>(sql`SELECT max(seq) AS last FROM documents`, options);
  return rows[0]?.last ?? 0;
}

const LOCK_TIMEOUT_MS = 60_000;
const LOCK_POLL_INTERVAL_MS = 200;

/** Throws ThrottledException when the lock is still held after LOCK_TIMEOUT_MS. */
async function* backUpUnderLock(
  engine: Engine,
  maintenanceLock: MaintenanceLock,
  options: BackupOptions,
): AsyncGenerator<TableCopy> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  let lock = await maintenanceLock.acquire();
  while (lock === undefined) {
    if (performance.now() > deadline) {
      const sentence = 'Another backup or a retention run holds the maintenance lock; try again later';
      throw new OpenrayError('ThrottledException', sentence, { retryAfterSeconds: 60 });
    }
    await delay(LOCK_POLL_INTERVAL_MS, undefined, { signal: options.signal });
    lock = await maintenanceLock.acquire();
  }
  try {
    yield* backUp(engine, { ...options, signal: AbortSignal.any([options.signal, lock.signal]) });
  } finally {
    await lock.release();
  }
}

const SETUP_LIMITS: CallOptions = { signal: undefined, timeoutMs: 60_000, maxMemoryBytes: 0 };

/**
 * Merges, too: the parts that were merged are deleted 30 s later. Changes a table only if its setting differs: on a
 * cluster a change needs all nodes, and one may be unreachable.
 */
async function applyFsync(engine: Engine, fsync: boolean): Promise<void> {
  const change = fsync
    ? 'MODIFY SETTING fsync_after_insert = 1, min_rows_to_fsync_after_merge = 1, fsync_part_directory = 1'
    : 'RESET SETTING fsync_after_insert, min_rows_to_fsync_after_merge, fsync_part_directory';
  const result = await engine.query(
    renderSql(sql`
      SELECT replaceRegexpOne(name, '_local$', '') AS name FROM system.tables
      WHERE database = currentDatabase() AND match(name, '^(entities|documents|trace_summaries)(_local)?$') AND engine LIKE '%MergeTree'
        AND (engine_full LIKE '%fsync_after_merge = 1%') != ${fsync}`),
    SETUP_LIMITS,
  );
  for (const { name } of parseRows<{ name: string }>(result)) {
    await engine.command({ query: `ALTER TABLE ${name} ${change}`, params: {} }, SETUP_LIMITS);
  }
}
