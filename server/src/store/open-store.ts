import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import { type BackupOptions, backUp, requireBackupName, type TableCopy } from './backup.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { openEmbedded } from './embedded.ts';
import type { CallOptions, Engine } from './engine.ts';
import { createGroupCommit } from './group-commit.ts';
import { type MaintenanceLock, newMaintenanceLock } from './maintenance-lock.ts';
import { MIGRATIONS, migrate, readMigrations } from './migrate.ts';
import { NO_RECENT_DOCUMENTS, newRecentDocuments } from './recent-documents.ts';
import { openRemote } from './remote.ts';
import { readRetentionWatermarks, recordIncomplete, startPruning } from './retention.ts';
import { areTracesColocated } from './shard-layout.ts';
import { parseRows, renderSql, type Sql, sql } from './sql.ts';
import type { QueryOptions, Store } from './store.ts';
import { parseStoreUrl, type StoreUrl } from './store-url.ts';
import { readUsage } from './usage.ts';

export type StoreOptions = {
  /** A ClickHouse to store in; undefined for the embedded one, in `dataDir`. */
  readonly storeUrl?: string | undefined;
  readonly dataDir: string;
  /** Queries that run at once. */
  readonly poolSize: number;
  /** What UV_THREADPOOL_SIZE was when the process began; 7 more than `poolSize` at least. */
  readonly threadPoolSize: number;
  readonly maxQueryMs: number;
  readonly maxQueryMemoryBytes: number;
  readonly engineMemoryBytes: number;
  readonly queueMaxBytes: number;
  readonly commitIntervalMs: number;
  /** Documents that arrived longer ago are dropped; 0 keeps them. */
  readonly retentionDays: number;
  /** Shorter than that where some rule keeps traces longer than others, see RetentionLimits. */
  readonly retentionDefaultDays?: number | undefined;
  /** The oldest are dropped when the store takes more on disk; 0 keeps them. */
  readonly retentionBytes: number;
  /** Acknowledge only what has reached the disk, for machines that may lose power. */
  readonly fsync: boolean;
  /** Folder of the embedded store's backups. */
  readonly backupDir: string;
  /** Disk of a remote ClickHouse for backups; undefined for the folder that it allows for them. */
  readonly backupDisk?: string | undefined;
  readonly log: StoreLog;
};

type StoreLog = {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
};

/** How long a remote store may take to be reachable, as when both are started at once. */
const CONNECT_TIMEOUT_MS = 30_000;
const CONNECT_RETRY_MS = 500;

/**
 * Opens the store and brings its schema up to date. Throws StoreInUse, StoreUnusable, ServiceUnavailable or
 * SettingInvalid with a sentence for whoever started the server.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.storeUrl === undefined)
    return storeOver(await migrateEngine(await openEmbeddedEngine(options), options), options);
  const url = parseStoreUrl(options.storeUrl);
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      return await openRemoteStore(url, options);
    } catch (thrown) {
      const isAway = thrown instanceof OpenrayError && thrown.code === 'ServiceUnavailable';
      if (!isAway || performance.now() > deadline) throw thrown;
      options.log.warn({ reason: thrown.message }, 'the store can not be reached yet');
      await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS));
    }
  }
}

/** A running ClickHouse with its database, as it is. Throws what `openStore` does. */
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

/** Opened twice on a cluster: how it may be asked stands in its own tables. */
async function openRemoteStore(url: StoreUrl, options: StoreOptions): Promise<Store> {
  const remote = remoteOptions(options, url);
  const engine = await migrateEngine(await openRemote(remote), options);
  if (url.cluster === undefined) return storeOver(engine, options);
  try {
    const database = databaseOf(engine, options);
    const { droppedBeforeUs } = await readRetentionWatermarks(database);
    const isTogether = await areTracesColocated(database, url.cluster.name, droppedBeforeUs);
    if (!isTogether) {
      options.log.warn({}, 'shards were added: queries ask all of them until the traces from before are gone');
      return await storeOver(engine, options);
    }
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
  await engine.close();
  return storeOver(await openRemote({ ...remote, areTracesColocated: true }), options);
}

async function openEmbeddedEngine(options: StoreOptions): Promise<Engine> {
  const directory = await prepareDataDirectory(options.dataDir);
  return openEmbedded({
    directory: directory.engine,
    spoolDirectory: directory.spool,
    poolSize: options.poolSize,
    threadPoolSize: options.threadPoolSize,
    engineMemoryBytes: options.engineMemoryBytes,
    backupDir: options.backupDir,
  });
}

/** The schema as this version wants it. Closes the engine when that fails. */
async function migrateEngine(engine: Engine, options: StoreOptions): Promise<Engine> {
  try {
    await migrate(engine, await readMigrations(MIGRATIONS));
    await setFsync(engine, options.fsync);
    return engine;
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}

type Database = Pick<Store, 'query' | 'stream' | 'command'>;

function databaseOf(engine: Engine, { maxQueryMs, maxQueryMemoryBytes }: StoreOptions): Database {
  const bounds = (asked: QueryOptions = {}): CallOptions => ({
    signal: asked.signal,
    timeoutMs: asked.timeoutMs ?? maxQueryMs,
    maxMemoryBytes: asked.maxMemoryBytes ?? maxQueryMemoryBytes,
    onIncomplete: asked.onIncomplete,
    insertToken: asked.insertToken,
  });
  return {
    async query<Row>(statement: Sql, asked?: QueryOptions): Promise<readonly Row[]> {
      return parseRows<Row>(await engine.query(renderSql(statement), bounds(asked)));
    },
    async *stream<Row>(statement: Sql, asked?: QueryOptions): AsyncIterable<Row> {
      for await (const lines of engine.stream(renderSql(statement), bounds(asked))) yield* parseRows<Row>(lines);
    },
    command: (statement: Sql, asked?: QueryOptions) => engine.command(renderSql(statement), bounds(asked)),
  };
}

async function storeOver(engine: Engine, options: StoreOptions): Promise<Store> {
  /** Other servers may be on it, too. */
  const isShared = options.storeUrl !== undefined;
  const serverNumber = isShared ? randomInt(1, 2 ** 32) : 0;
  const database = databaseOf(engine, options);
  const [known, lastSeq] = await Promise.all([readRetentionWatermarks(database), lastSeqOf(database)]).catch(
    async (thrown) => {
      await engine.close();
      throw thrown;
    },
  );
  let marks = known;
  const recent = isShared ? NO_RECENT_DOCUMENTS : newRecentDocuments(lastSeq, RECENT_BYTES);
  const commits = createGroupCommit({ insert: engine.insert, serverNumber: serverNumber, recent, ...options });
  const limits = {
    days: options.retentionDays,
    bytes: options.retentionBytes,
    defaultDays: options.retentionDefaultDays,
  };
  const upkeep = newMaintenanceLock(database, isShared);
  const retention = startPruning({ ...database, parts: engine.parts }, limits, {
    upkeep,
    onPruned(pruned) {
      recent.evict(pruned.beforeUs);
      options.log.info(pruned, 'old documents dropped');
    },
    onMarks(read) {
      marks = read;
    },
    onFailed: (reason) => options.log.warn({ reason }, 'old documents could not be dropped'),
  });
  return {
    ...database,
    append: (documents: readonly Document[]) => commits.append(documents),
    insert: engine.insert,
    lowWatermark: commits.lowWatermark,
    recent,
    lastSeq,
    isShared,
    serverNumber,
    backUp: (name, signal) => backUpUnderLock(engine, upkeep, { name, signal }),
    acquireMaintenanceLock: upkeep.acquire,
    async recordIncomplete(beforeUs) {
      await recordIncomplete(database, beforeUs);
      recent.evict(beforeUs);
      marks = { ...marks, prunedBeforeUs: Math.max(beforeUs, marks.prunedBeforeUs ?? 0) };
    },
    statistics: () => ({ ...commits.counts(), ...marks }),
    async usage(asked?: QueryOptions) {
      const stored = await readUsage(database, engine.parts, asked);
      return { ...stored, queueMaxBytes: options.queueMaxBytes, retention: limits };
    },
    async close() {
      await Promise.all([commits.close(), retention.stop()]);
      await engine.close();
    },
  };
}

/** Text of documents that are kept as they arrived until the map has counted them: those of some seconds of a full load. */
const RECENT_BYTES = 64 * 1024 * 1024;

async function lastSeqOf(database: Database): Promise<number> {
  // A shard that is away does not keep a server from starting.
  const asked = { onIncomplete: () => undefined };
  const rows = await database.query<{ last: number }>(sql`SELECT max(seq) AS last FROM documents`, asked);
  return rows[0]?.last ?? 0;
}

const LOCK_TIMEOUT_MS = 60_000;
const LOCK_POLL_INTERVAL_MS = 200;

/** Throws ThrottledException when other work on the whole store takes too long. */
async function* backUpUnderLock(
  engine: Engine,
  upkeep: MaintenanceLock,
  options: BackupOptions,
): AsyncGenerator<TableCopy> {
  requireBackupName(options.name);
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  let turn = await upkeep.acquire();
  while (turn === undefined) {
    if (performance.now() > deadline) {
      const sentence = 'The store is backed up already, or old documents are being dropped; try again later';
      throw new OpenrayError('ThrottledException', sentence, { retryAfterSeconds: 60 });
    }
    await delay(LOCK_POLL_INTERVAL_MS, undefined, { signal: options.signal });
    turn = await upkeep.acquire();
  }
  try {
    yield* backUp(engine, { ...options, signal: AbortSignal.any([options.signal, turn.signal]) });
  } finally {
    await turn.release();
  }
}

const SETUP_LIMITS: CallOptions = { signal: undefined, timeoutMs: 60_000, maxMemoryBytes: 0 };

/** Only where it is not so yet: on a cluster it takes all nodes to change a table, and one of them may be away. */
async function setFsync(engine: Engine, fsync: boolean): Promise<void> {
  const change = fsync
    ? 'MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1'
    : 'RESET SETTING fsync_after_insert, fsync_part_directory';
  const answer = await engine.query(
    renderSql(sql`
      SELECT replaceRegexpOne(name, '_local$', '') AS name FROM system.tables
      WHERE database = currentDatabase() AND match(name, '^(entities|documents)(_local)?$') AND engine LIKE '%MergeTree'
        AND (engine_full LIKE '%fsync_after_insert = 1%') != ${fsync}`),
    SETUP_LIMITS,
  );
  for (const { name } of parseRows<{ name: string }>(answer)) {
    await engine.command({ query: `ALTER TABLE ${name} ${change}`, params: {} }, SETUP_LIMITS);
  }
}
