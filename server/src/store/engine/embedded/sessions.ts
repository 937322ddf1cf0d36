import type { Session } from 'chdb';
import { OpenrayError } from '../../../errors.ts';
import type { RenderedSql } from '../../sql.ts';
import { firstLine, messageOf, toStoreFailure } from '../clickhouse-errors.ts';
import type { ResultCut } from '../engine.ts';
import { parameterSettings, quote } from '../parameters.ts';
import { columnNames, rowStructure } from '../row-structure.ts';
import { createSessionPool, type SessionPool } from '../session-pool.ts';
import { watchCall } from '../watch-call.ts';
import { OWN_SESSIONS } from './engine-spawn.ts';
import { removeLostTokens } from './insert-tokens.ts';
import { hasGlibc, missingEngine } from './missing-engine.ts';
import type { CallLimits, RowFile, SessionsOptions } from './protocol.ts';

type SessionCall = CallLimits & { readonly signal: AbortSignal };

/** The engine of this process. Rows are in JSONEachRow, and each piece of a stream has whole lines. */
export type Sessions = {
  query(statement: RenderedSql, call: SessionCall): Promise<Uint8Array>;
  stream(statement: RenderedSql, call: SessionCall): AsyncGenerator<Uint8Array>;
  command(statement: RenderedSql, call: SessionCall): Promise<void>;
  insert(rows: RowFile): Promise<void>;
  /**
   * Whether a write of a file has failed, as on a full disk. chdb ignores such a failure: it reports success of the
   * insert or the merge, whose part then lacks rows. Only this process uses that part. The next process sets it aside
   * and reads the parts that were merged into it.
   */
  hasFailedWrite(): Promise<boolean>;
  /** Waits for running calls, then closes. */
  close(): Promise<void>;
};

/** A result has to fit into one string. Larger results need `stream`. */
const RESULT_BOUNDS: ResultCut = { rows: 1_000_000, bytes: 256 * 1024 * 1024 };
const UNBOUNDED: ResultCut = { rows: 0, bytes: 0 };
/** Maximum number of calls that wait for a session. */
const MAX_WAITING = 256;

/** How many writes of files have failed since the start of this process. */
const FAILED_WRITES =
  "SELECT sum(value) AS n FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'";

/**
 * For one small file, several threads cost more time than they save. A block has one row for each key: looking for more
 * in it, as the engine does by default, costs half of an insert of `service_map`, and a later merge does it anyway.
 */
const INSERT_SETTINGS = 'max_threads = 1, max_insert_threads = 1, optimize_on_insert = 0';

/**
 * ClickHouse in this process, over a pool of sessions. A session runs one call at a time, so each call leases one.
 * Throws StoreInUse when another process has the directory, StoreUnusable when it cannot be opened.
 */
export async function openSessions(options: SessionsOptions): Promise<Sessions> {
  const chdb = await loadEngine();
  try {
    return await openWith(chdb, options);
  } catch (thrown) {
    throw toOpenFailure(thrown, options.directory);
  }
}

async function openWith(chdb: typeof import('chdb'), options: SessionsOptions): Promise<Sessions> {
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
  };
  try {
    for (let count = 0; count < options.poolSize + OWN_SESSIONS; count++) opened.push(open());
    const [inserting, commanding, killing, ...reading] = opened as [Session, Session, Session, ...Session[]];
    await inserting.queryAsync('CREATE DATABASE IF NOT EXISTS openray');
    for (const session of opened) await session.queryAsync('USE openray');
    const run = async (statement: string) => textOf(await commanding.queryAsync(statement, { format: 'TabSeparated' }));
    await removeLostTokens(run, options.directory);
    return sessionsOver({ inserting, commanding, killing, reading }, closeAll);
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

type OpenedSessions = {
  readonly inserting: Session;
  readonly commanding: Session;
  readonly killing: Session;
  readonly reading: readonly Session[];
};

function sessionsOver(sessions: OpenedSessions, closeAll: () => Promise<void>): Sessions {
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
  async function leaseSession(pool: SessionPool<Session>, options: SessionCall) {
    const deadline = performance.now() + options.timeoutMs;
    const lease = await pool.acquire(options);
    const remaining = { ...options, timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) };
    return { lease, callId: `openray-${process.pid}-${++calls}`, options: remaining };
  }

  async function call(pool: SessionPool<Session>, statement: RenderedSql, given: SessionCall): Promise<Uint8Array> {
    const { lease, callId, options } = await leaseSession(pool, given);
    const settings = callSettings(callId, statement, options, options.cutAt ?? RESULT_BOUNDS);
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
      return result.bytes();
    } catch (thrown) {
      throw toStoreFailure(thrown);
    }
  }

  async function* stream(statement: RenderedSql, given: SessionCall): AsyncGenerator<Uint8Array> {
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
        yield value.raw();
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

  async function insert({ table, columns, path, insertToken }: RowFile): Promise<void> {
    const { session, release } = await inserters.acquire({ signal: undefined, timeoutMs: 60_000 });
    try {
      const rows = `file(${quote(path)}, 'RowBinary', ${rowStructure(columns)})`;
      const once = insertToken === undefined ? '' : `, insert_deduplication_token = ${quote(insertToken)}`;
      await session.queryAsync(
        `INSERT INTO ${table} (${columnNames(columns)}) SETTINGS ${INSERT_SETTINGS}${once} SELECT * FROM ${rows}`,
      );
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      release();
    }
  }

  return {
    query: (statement, options) => call(readers, statement, options),
    stream,
    command: async (statement, options) => {
      await call(commanders, statement, options);
    },
    insert,
    async hasFailedWrite() {
      const { session, release } = await inserters.acquire({ signal: undefined, timeoutMs: 60_000 });
      try {
        const result = await session.queryAsync(FAILED_WRITES, { format: 'TabSeparated' });
        return textOf(result).trim() !== '0';
      } finally {
        release();
      }
    },
    async close() {
      await Promise.all([readers.close(), commanders.close(), inserters.close()]);
      await killers.close();
      await closeAll();
    },
  };
}

const textOf = (result: { bytes(): Uint8Array }): string => Buffer.from(result.bytes()).toString();

/** The engine keeps a failed query and its memory until the next statement of the session. */
async function releaseQueryMemory(session: Session): Promise<void> {
  await session.queryAsync("SET log_comment = ''").catch(() => {});
}

/** Limits, name and parameters of one call, as settings of its session. */
function callSettings(callId: string, statement: RenderedSql, options: SessionCall, bounds: ResultCut): string {
  const settings = [
    `log_comment = ${quote(callId)}`,
    `max_execution_time = ${options.timeoutMs / 1000}`,
    `max_memory_usage = ${options.maxMemoryBytes}`,
    `max_result_rows = ${bounds.rows}`,
    `max_result_bytes = ${bounds.bytes}`,
    `result_overflow_mode = '${options.cutAt ? 'break' : 'throw'}'`,
    'output_format_json_quote_64bit_integers = 0',
    // `lower(hex(trace_id)) AS trace_id` must not change what WHERE compares.
    'prefer_column_name_to_alias = 1',
    `insert_deduplication_token = ${quote(options.insertToken ?? '')}`,
    parameterSettings(statement),
  ];
  return `SET ${settings.filter((setting) => setting !== '').join(', ')}`;
}

/** Loads the library of the engine, once in a process. */
export async function loadEngine(): Promise<typeof import('chdb')> {
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
