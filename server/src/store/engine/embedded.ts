import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from 'chdb';
import { OpenrayError } from '../../errors.ts';
import { type RenderedSql, sql } from '../sql.ts';
import { firstLine, messageOf, toStoreFailure } from './clickhouse-errors.ts';
import type { CallOptions, Engine, RowBlock } from './engine.ts';
import { hasGlibc, missingEngine } from './missing-engine.ts';
import { parameterSettings, quote } from './parameters.ts';
import { createSessionPool, type SessionPool } from './session-pool.ts';
import { watchCall } from './watch-call.ts';

export type EmbeddedOptions = {
  /** The engine's files. The engine locks the directory for this process. */
  readonly directory: string;
  /** Blocks of rows that the engine reads when they are inserted. */
  readonly spoolDirectory: string;
  /** Maximum number of concurrent queries; more wait. */
  readonly poolSize: number;
  /** UV_THREADPOOL_SIZE at the start of the process. Each running call occupies one thread of libuv. */
  readonly threadPoolSize: number;
  readonly engineMemoryBytes: number;
  /** The only folder to which backups may be written and from which they may be read. */
  readonly backupDir: string;
};

type ResultBounds = { readonly maxRows: number; readonly maxBytes: number };
/** A result has to fit into one string. Larger results need `stream`. */
const RESULT_BOUNDS: ResultBounds = { maxRows: 1_000_000, maxBytes: 256 * 1024 * 1024 };
const UNBOUNDED: ResultBounds = { maxRows: 0, maxBytes: 0 };
/** Maximum number of calls that wait for a session. */
const MAX_WAITING = 256;
/** One session for inserts, one for commands, one for cancelling. */
const OWN_SESSIONS = 3;
/** Threads for files, DNS and compression. */
const SPARE_THREADS = 4;

/** For one small file, several threads cost more time than they save. */
const INSERT_SETTINGS = 'max_threads = 1, max_insert_threads = 1';

/** A process can open one directory only. */
let directoryInUse: string | undefined;

/**
 * ClickHouse in this process, over a pool of sessions. A session runs one call at a time, so each call leases one.
 * Throws StoreInUse when another process or store has the directory, StoreUnusable when it cannot be opened,
 * SettingInvalid when libuv has too few threads for the pool.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Engine> {
  requireThreads(options);
  if (directoryInUse !== undefined) {
    throw new OpenrayError('StoreInUse', `This process has a store open already, in ${directoryInUse}`);
  }
  directoryInUse = options.directory;
  try {
    return await openSessions(options);
  } catch (thrown) {
    directoryInUse = undefined;
    throw toOpenFailure(thrown, options.directory);
  }
}

function requireThreads({ poolSize, threadPoolSize }: EmbeddedOptions): void {
  const needed = poolSize + OWN_SESSIONS + SPARE_THREADS;
  if (threadPoolSize >= needed) return;
  throw new OpenrayError(
    'SettingInvalid',
    `A pool of ${poolSize} sessions needs UV_THREADPOOL_SIZE to be ${needed} or more when the process starts, ` +
      `but it is ${threadPoolSize}`,
  );
}

async function openSessions(options: EmbeddedOptions): Promise<Engine> {
  const chdb = await importChdb();
  const connectionArgs = [
    `--max_server_memory_usage=${options.engineMemoryBytes}`,
    `--mark_cache_size=${Math.floor(options.engineMemoryBytes / 8)}`,
    `--index_mark_cache_size=${Math.floor(options.engineMemoryBytes / 16)}`,
    `--backups.allowed_path=${options.backupDir}`,
    // The engine counts its allocations itself, and only corrects them by what the system says: at 50 ms, its default,
    // that is most of the CPU of an idle engine.
    '--memory_worker_period_ms=1000',
  ];
  const open = () => new chdb.Session(options.directory, { connectionArgs });
  const opened: Session[] = [];
  const closeAll = async () => {
    for (const session of opened) session.close();
    await chdb.drainPending();
    directoryInUse = undefined;
  };
  try {
    for (let count = 0; count < options.poolSize + OWN_SESSIONS; count++) opened.push(open());
    const [inserting, commanding, killing, ...reading] = opened as [Session, Session, Session, ...Session[]];
    await inserting.queryAsync('CREATE DATABASE IF NOT EXISTS openray');
    for (const session of opened) await session.queryAsync('USE openray');
    return engineOver({ inserting, commanding, killing, reading }, options, closeAll);
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

type Sessions = {
  readonly inserting: Session;
  readonly commanding: Session;
  readonly killing: Session;
  readonly reading: readonly Session[];
};

function engineOver(
  sessions: Sessions,
  { spoolDirectory, backupDir }: EmbeddedOptions,
  closeAll: () => Promise<void>,
): Engine {
  const readers = createSessionPool(sessions.reading, MAX_WAITING);
  const commanders = createSessionPool([sessions.commanding], MAX_WAITING);
  const inserters = createSessionPool([sessions.inserting], MAX_WAITING);
  const killers = createSessionPool([sessions.killing], Number.POSITIVE_INFINITY);
  let calls = 0;

  async function kill(callId: string): Promise<void> {
    const { session, release } = await killers.acquire({ signal: undefined, timeoutMs: 10_000 });
    // ASYNC: the synchronous form was observed to wait forever.
    await session.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${quote(callId)} ASYNC`).finally(release);
  }

  /** Leases a session. The returned options have the time that remains for the call itself. */
  async function leaseSession(pool: SessionPool<Session>, options: CallOptions) {
    const deadline = performance.now() + options.timeoutMs;
    const lease = await pool.acquire(options);
    const remaining = { ...options, timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) };
    return { lease, callId: `openray-${process.pid}-${++calls}`, options: remaining };
  }

  async function call(pool: SessionPool<Session>, statement: RenderedSql, given: CallOptions): Promise<string> {
    const { lease, callId, options } = await leaseSession(pool, given);
    const settings = callSettings(callId, statement, options, RESULT_BOUNDS);
    const watched = watchCall(options, () => kill(callId));
    // The session is free when the engine has finished, which may be after the caller's timeout.
    const running = lease.session.queryAsync(`${settings}; ${statement.query}`, { format: 'JSONEachRow' });
    void running
      .catch(() => releaseQueryMemory(lease.session))
      .finally(() => {
        watched.end();
        lease.release();
      });
    try {
      const result = await Promise.race([running, watched.failed]);
      return result.text();
    } catch (thrown) {
      throw toStoreFailure(thrown);
    }
  }

  async function* stream(statement: RenderedSql, given: CallOptions): AsyncIterable<string> {
    const { lease, callId, options } = await leaseSession(readers, given);
    const watched = watchCall(options, () => kill(callId));
    let fetching: Promise<unknown> = Promise.resolve();
    let cancel = () => {};
    try {
      // `queryStream` accepts a single statement.
      await lease.session.queryAsync(callSettings(callId, statement, options, UNBOUNDED));
      const chunks = lease.session.queryStream(statement.query, { format: 'JSONEachRow' });
      cancel = () => chunks.cancel();
      const iterator = chunks[Symbol.asyncIterator]();
      while (true) {
        const next = iterator.next();
        fetching = next.catch(() => {});
        const { done, value } = await Promise.race([next, watched.failed]);
        if (done) return;
        yield value.text();
      }
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      // Cancel only when no fetch is in flight.
      await fetching;
      cancel();
      await releaseQueryMemory(lease.session);
      watched.end();
      lease.release();
    }
  }

  async function insert({ table, columns, bytes, insertToken }: RowBlock): Promise<void> {
    const { session, release } = await inserters.acquire({ signal: undefined, timeoutMs: 60_000 });
    const path = join(spoolDirectory, `${table}.rows`);
    try {
      await writeFile(path, bytes, { mode: 0o600 });
      const names = Object.keys(columns).join(', ');
      const structure = Object.entries(columns).map((column) => column.join(' '));
      const rows = `file(${quote(path)}, 'RowBinary', ${quote(structure.join(', '))})`;
      const once = insertToken === undefined ? '' : `, insert_deduplication_token = ${quote(insertToken)}`;
      await session.queryAsync(
        `INSERT INTO ${table} (${names}) SETTINGS ${INSERT_SETTINGS}${once} SELECT * FROM ${rows}`,
      );
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      await unlink(path).catch(() => {});
      release();
    }
  }

  return {
    cluster: undefined,
    parts: sql`system.parts`,
    backups: sql`system.backups`,
    backupDestination: (path) => `File(${quote(join(backupDir, path))})`,
    query: (statement, options) => call(readers, statement, options),
    stream,
    command: async (statement, options) => {
      await call(commanders, statement, options);
    },
    insert,
    async close() {
      await Promise.all([readers.close(), commanders.close(), inserters.close()]);
      await killers.close();
      await closeAll();
    },
  };
}

/** The engine keeps a failed query and its memory until the next statement of the session. */
async function releaseQueryMemory(session: Session): Promise<void> {
  await session.queryAsync("SET log_comment = ''").catch(() => {});
}

/** Limits, name and parameters of one call, as settings of its session. */
function callSettings(callId: string, statement: RenderedSql, options: CallOptions, bounds: ResultBounds): string {
  const settings = [
    `log_comment = ${quote(callId)}`,
    `max_execution_time = ${options.timeoutMs / 1000}`,
    `max_memory_usage = ${options.maxMemoryBytes}`,
    `max_result_rows = ${bounds.maxRows}`,
    `max_result_bytes = ${bounds.maxBytes}`,
    'output_format_json_quote_64bit_integers = 0',
    // `lower(hex(trace_id)) AS trace_id` must not change what WHERE compares.
    'prefer_column_name_to_alias = 1',
    `insert_deduplication_token = ${quote(options.insertToken ?? '')}`,
    parameterSettings(statement),
  ];
  return `SET ${settings.filter((setting) => setting !== '').join(', ')}`;
}

async function importChdb(): Promise<typeof import('chdb')> {
  try {
    return await import('chdb');
  } catch (cause) {
    const { platform, arch } = process;
    const machine = { platform, arch, hasGlibc: hasGlibc() };
    throw new OpenrayError('StoreUnusable', missingEngine(machine, firstLine(cause)), { cause });
  }
}

function toOpenFailure(thrown: unknown, directory: string): OpenrayError {
  if (thrown instanceof OpenrayError) return thrown;
  if (messageOf(thrown).includes('Cannot lock file')) {
    return new OpenrayError('StoreInUse', `Another server uses the data in ${directory}`, { cause: thrown });
  }
  return new OpenrayError('StoreUnusable', `The data in ${directory} cannot be opened: ${firstLine(thrown)}`, {
    cause: thrown,
  });
}
