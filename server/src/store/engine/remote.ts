import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ClickHouseSettings } from '@clickhouse/client';
import { OpenrayError } from '../../errors.ts';
import { type RenderedSql, renderSql, sql } from '../sql.ts';
import { isShardUnavailable, isUnreachable, toStoreFailure } from './clickhouse-errors.ts';
import { clusterStatements } from './cluster-tables.ts';
import type { CallOptions, Engine, RowBlock } from './engine.ts';
import { type Host, type Hosts, openHosts } from './hosts.ts';
import { quote } from './parameters.ts';
import { readResponse } from './remote-response.ts';
import { columnNames, rowStructure } from './row-structure.ts';
import { createSessionPool, type SessionPool } from './session-pool.ts';
import type { StoreUrl } from './store-url.ts';
import { type WatchedCall, watchCall } from './watch-call.ts';

export type RemoteOptions = {
  readonly url: StoreUrl;
  /** Maximum number of concurrent queries; more wait. */
  readonly poolSize: number;
  /** Whether every trace is on the shard of its id: see shard-layout.ts. */
  readonly areTracesColocated: boolean;
  /** A disk of ClickHouse for backups; undefined for its `backups.allowed_path`. */
  readonly backupDisk: string | undefined;
};

type ResultBounds = Pick<ClickHouseSettings, 'max_result_rows' | 'max_result_bytes'>;
/** A result has to fit into one string. Larger results need `stream`. */
const RESULT_BOUNDS: ResultBounds = { max_result_rows: '1000000', max_result_bytes: String(256 * 1024 * 1024) };
const resultSettings = ({ cutAt }: CallOptions): ClickHouseSettings =>
  cutAt === undefined
    ? RESULT_BOUNDS
    : {
        max_result_rows: String(cutAt.rows),
        max_result_bytes: String(cutAt.bytes),
        result_overflow_mode: 'break',
      };
const UNBOUNDED: ResultBounds = { max_result_rows: '0', max_result_bytes: '0' };
/** Maximum number of calls that wait. */
const MAX_WAITING = 256;
const INSERT_TIMEOUT_MS = 60_000;
/** Of each request that looks for the database or creates it. */
const CREATE_TIMEOUT_MS = 30_000;
/** Why a result may be incomplete, as `onIncomplete` gets it. */
const SHARD_REASON = 'a shard cannot be reached';
/** Time for a killed call to end before its connection is closed. */
const DRAIN_TIMEOUT_MS = 2_000;

const SETTINGS: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 0,
  // As in the embedded store: `lower(hex(trace_id)) AS trace_id` must not change what WHERE compares.
  prefer_column_name_to_alias: 1,
  // The store batches documents itself, and acknowledges them once they are in the table.
  async_insert: 0,
};

/** As in the embedded store. */
const INSERT_SETTINGS: ClickHouseSettings = { max_threads: 1, max_insert_threads: '1', optimize_on_insert: 0 };

const CLUSTER_SETTINGS: ClickHouseSettings = {
  ...SETTINGS,
  // Acknowledged means stored in the shard.
  distributed_foreground_insert: 1,
  // Write to and read from the same replica while it is reachable, so that readers see acknowledged documents.
  load_balancing: 'in_order',
  prefer_localhost_replica: 0,
};

/** A subquery reads the rows of the shard that runs it, and a trace is read from its shard only. */
const COLOCATED: ClickHouseSettings = { distributed_product_mode: 'local', optimize_skip_unused_shards: 1 };
/** Correct for any placement of rows: the result of a subquery is sent to all shards. */
const NOT_COLOCATED: ClickHouseSettings = { distributed_product_mode: 'global', optimize_skip_unused_shards: 0 };

/**
 * A ClickHouse server or cluster over HTTP. Throws ServiceUnavailable if none of its hosts can be reached,
 * StoreUnusable if it denies access to this user.
 */
export async function openRemote(options: RemoteOptions): Promise<Engine> {
  await createDatabase(options.url);
  const { url, poolSize } = options;
  return engineOver(openHosts(url, poolSize + 2, url.database), options);
}

/** Creates the database only if it does not exist: the user may lack the right to create one. */
async function createDatabase(url: StoreUrl): Promise<void> {
  const hosts = openHosts(url, 1, undefined, CREATE_TIMEOUT_MS);
  const create = async ({ client }: Host) => {
    const found = await client.query({
      query: 'SELECT name FROM system.databases WHERE name = {name:String}',
      query_params: { name: url.database },
      format: 'JSONEachRow',
    });
    if ((await found.json()).length > 0) return;
    const where = url.cluster?.isReplicated ? ` ON CLUSTER '${url.cluster.name}'` : '';
    await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${url.database}${where}` });
  };
  try {
    if (url.cluster?.isReplicated === false) for (const host of hosts.all) await create(host);
    else await hosts.withHost(create);
  } catch (thrown) {
    throw toStoreFailure(thrown);
  } finally {
    await hosts.close();
  }
}

function engineOver(hosts: Hosts, { url, poolSize, areTracesColocated, backupDisk }: RemoteOptions): Engine {
  const { cluster, database } = url;
  const constant = cluster ? { ...CLUSTER_SETTINGS, ...(areTracesColocated ? COLOCATED : NOT_COLOCATED) } : SETTINGS;
  const callPool = (count: number) =>
    createSessionPool(
      Array.from({ length: count }, () => 0),
      MAX_WAITING,
    );
  const readers = callPool(poolSize);
  const commanders = callPool(1);
  const inserters = callPool(1);

  async function kill(host: Host, callId: string): Promise<void> {
    try {
      const query = 'KILL QUERY WHERE query_id = {id:String} ASYNC';
      await host.control.command({ query, query_params: { id: callId } });
    } catch (thrown) {
      if (isUnreachable(thrown)) hosts.failOver(host);
      throw thrown;
    }
  }

  /**
   * One attempt on one host. Throws the client's errors. Extends `lease` until the call has ended in ClickHouse, too.
   */
  async function* send(
    host: Host,
    { query, params }: RenderedSql,
    { settings, values, lease }: { settings: ClickHouseSettings; values?: Readable; lease: CallLease },
  ): AsyncGenerator<string, void, undefined> {
    const callId = randomUUID();
    const abort = new AbortController();
    const { options } = lease;
    const watched = watchCall(options, () => kill(host, callId));
    const responding = host.client.exec({
      query,
      query_params: { ...params },
      query_id: callId,
      abort_signal: abort.signal,
      clickhouse_settings: {
        ...constant,
        max_execution_time: options.timeoutMs / 1000,
        max_memory_usage: String(options.maxMemoryBytes),
        ...settings,
      },
      ...(values && { values }),
    });
    const response = responding.then(({ stream }) => ({ body: stream, pieces: readResponse(stream) }));
    response.catch(() => {});
    let hasEnded = false;
    try {
      const { pieces } = await Promise.race([response, watched.failed]);
      while (true) {
        const { done, value } = await Promise.race([pieces.next(), watched.failed]);
        if (done) break;
        yield value;
      }
      hasEnded = true;
    } catch (thrown) {
      // A failure of ClickHouse or of the connection ends the call. Only the watch throws while the call still runs.
      hasEnded = !(thrown instanceof OpenrayError);
      throw thrown;
    } finally {
      if (hasEnded) watched.end();
      else lease.extendUntil(drainKilledCall(response, watched, abort));
    }
  }

  /** Runs strictly first. Runs again without unreachable shards only if the caller allows an incomplete result. */
  async function retryWithoutMissingShards<Result>(
    { onIncomplete }: CallOptions,
    run: (settings: ClickHouseSettings) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await run({});
    } catch (thrown) {
      if (onIncomplete === undefined || !isShardUnavailable(thrown)) throw thrown;
      const result = await run({ skip_unavailable_shards: 1 });
      onIncomplete(SHARD_REASON);
      return result;
    }
  }

  async function query(statement: RenderedSql, options: CallOptions): Promise<string> {
    const lease = await acquireCallLease(readers, options);
    try {
      return await retryWithoutMissingShards(options, (settings) =>
        hosts.withHost((host) =>
          textOf(send(host, inJson(statement), { settings: { ...resultSettings(options), ...settings }, lease })),
        ),
      );
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      lease.release();
    }
  }

  async function* stream(statement: RenderedSql, options: CallOptions): AsyncIterable<string> {
    const lease = await acquireCallLease(readers, options);
    try {
      // A host can fail over only until its first piece has arrived.
      const { first, pieces } = await retryWithoutMissingShards(options, (settings) =>
        hosts.withHost(async (host) => {
          const pieces = send(host, inJson(statement), { settings: { ...UNBOUNDED, ...settings }, lease });
          return { first: await pieces.next(), pieces };
        }),
      );
      if (first.done) return;
      try {
        yield first.value;
        yield* pieces;
      } finally {
        await pieces.return();
      }
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      lease.release();
    }
  }

  async function command(statement: RenderedSql, options: CallOptions): Promise<void> {
    const lease = await acquireCallLease(commanders, options);
    const settings: ClickHouseSettings = {
      distributed_ddl_task_timeout: String(Math.ceil(options.timeoutMs / 1000)),
      ...(options.insertToken !== undefined && { insert_deduplication_token: options.insertToken }),
    };
    const run = async (host: Host, query: string) => {
      await textOf(send(host, { query, params: statement.params }, { settings, lease }));
    };
    try {
      const ofSchema = cluster && clusterStatements(statement.query, { ...cluster, database });
      for (const query of ofSchema ?? [statement.query]) {
        if (ofSchema && !cluster.isReplicated) for (const host of hosts.all) await run(host, query);
        else await hosts.withHost((host) => run(host, query));
      }
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      lease.release();
    }
  }

  async function insert({
    table,
    columns,
    bytes,
    insertToken,
    timeoutMs = INSERT_TIMEOUT_MS,
    repeats,
  }: RowBlock): Promise<void> {
    const lease = await acquireCallLease(inserters, { signal: undefined, timeoutMs, maxMemoryBytes: 0 });
    const into = `INSERT INTO ${table} (${columnNames(columns)}) SELECT * FROM input(${rowStructure(columns)})`;
    const run = ({ query, params }: RenderedSql, token = insertToken) => {
      const settings: ClickHouseSettings = {
        ...INSERT_SETTINGS,
        ...(token !== undefined && { insert_deduplication_token: token }),
      };
      return hosts.withHost((host) => {
        const values = Readable.from(bytes instanceof Uint8Array ? [bytes] : bytes);
        return textOf(send(host, { query: `${query} FORMAT RowBinary`, params }, { settings, values, lease }));
      });
    };
    try {
      await run({ query: into, params: {} });
      if (repeats !== undefined) {
        const key = repeats.key.join(', ');
        const { query, params } = renderSql(repeats.among);
        const missing = `${into} WHERE (${key}) NOT IN (SELECT ${key} FROM ${table} WHERE ${query})`;
        // A token of its own: another one could be known without its rows, too.
        await run({ query: missing, params }, randomUUID());
      }
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      lease.release();
    }
  }

  return {
    cluster: cluster?.name,
    parts: cluster ? sql`cluster(${cluster.name}, system.parts)` : sql`system.parts`,
    backups: cluster ? sql`clusterAllReplicas(${cluster.name}, system.backups)` : sql`system.backups`,
    backupDestination: (path) =>
      backupDisk === undefined ? `File(${quote(path)})` : `Disk(${quote(backupDisk)}, ${quote(path)})`,
    query,
    stream,
    command,
    insert,
    async close() {
      await Promise.all([readers.close(), commanders.close(), inserters.close()]);
      await hosts.close();
    },
  };
}

type QueryResponse = { readonly body: Readable; readonly pieces: AsyncIterableIterator<string> };

type CallLease = {
  /** The requested options, with the time that is left: an attempt on another host gets no more. */
  readonly options: CallOptions;
  extendUntil(ended: Promise<void>): void;
  /** Frees the lease once all calls of `extendUntil` have ended. */
  release(): void;
};

async function acquireCallLease(pool: SessionPool<unknown>, options: CallOptions): Promise<CallLease> {
  const deadline = performance.now() + options.timeoutMs;
  const { release } = await pool.acquire(options);
  const calls: Promise<void>[] = [];
  return {
    get options() {
      return { ...options, timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) };
    },
    extendUntil: (ended) => calls.push(ended),
    release: () => void Promise.allSettled(calls).then(release),
  };
}

/**
 * Kills a call and discards the rest of its response, so that the connection can be reused. Resetting the connection
 * would not end the call sooner: ClickHouse checks the connection only from time to time.
 */
async function drainKilledCall(
  response: Promise<QueryResponse>,
  watched: WatchedCall,
  abort: AbortController,
): Promise<void> {
  watched.kill();
  let body: Readable | undefined;
  const timer = setTimeout(() => {
    abort.abort();
    body?.destroy();
  }, DRAIN_TIMEOUT_MS);
  try {
    const { body: stream, pieces } = await response;
    body = stream;
    for await (const piece of pieces) void piece;
  } catch {
    // The call has ended, as intended.
  } finally {
    clearTimeout(timer);
    watched.end();
  }
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

const inJson = ({ query, params }: RenderedSql): RenderedSql => ({ query: `${query}\nFORMAT JSONEachRow`, params });
