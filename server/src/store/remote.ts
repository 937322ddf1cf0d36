import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ClickHouseSettings } from '@clickhouse/client';
import { OpenrayError } from '../errors.ts';
import { isShardUnavailable, isUnreachable, toStoreFailure } from './clickhouse-errors.ts';
import { clusterStatements } from './cluster-tables.ts';
import type { CallOptions, Engine, RowBlock } from './engine.ts';
import { type Host, type Hosts, openHosts } from './hosts.ts';
import { quote } from './parameters.ts';
import { readResponse } from './remote-response.ts';
import { createSessionPool, type SessionPool } from './session-pool.ts';
import { type RenderedSql, sql } from './sql.ts';
import type { StoreUrl } from './store-url.ts';
import { type WatchedCall, watchCall } from './watch-call.ts';

export type RemoteOptions = {
  readonly url: StoreUrl;
  /** Queries that run at once; more of them wait. */
  readonly poolSize: number;
  /** Whether every trace is on the shard that its id says: see shard-layout.ts. */
  readonly areTracesColocated: boolean;
  /** A disk of ClickHouse for backups; undefined for the folder that it allows for them. */
  readonly backupDisk: string | undefined;
};

type ResultBounds = Pick<ClickHouseSettings, 'max_result_rows' | 'max_result_bytes'>;
/** One answer has to fit one string. What is longer comes as a stream. */
const RESULT_BOUNDS: ResultBounds = { max_result_rows: '1000000', max_result_bytes: String(256 * 1024 * 1024) };
const UNBOUNDED: ResultBounds = { max_result_rows: '0', max_result_bytes: '0' };
/** Calls that may wait for their turn. */
const MAX_WAITING = 256;
const INSERT_TIMEOUT_MS = 60_000;
/** What a killed call gets to end before its connection is given up. */
const DRAIN_TIMEOUT_MS = 2_000;

const SETTINGS: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 0,
  // As in the embedded store: `lower(hex(trace_id)) AS trace_id` must not change what WHERE compares.
  prefer_column_name_to_alias: 1,
  // The store collects documents itself, and acknowledges what is in the table.
  async_insert: 0,
};

const CLUSTER_SETTINGS: ClickHouseSettings = {
  ...SETTINGS,
  // Acknowledged means in the shard.
  distributed_foreground_insert: 1,
  // The same replica is written and read as long as it is there, so that a reader sees what was acknowledged.
  load_balancing: 'in_order',
  prefer_localhost_replica: 0,
};

/** A subquery over a table is about the rows of the shard that runs it, and a trace is asked of its shard. */
const COLOCATED: ClickHouseSettings = { distributed_product_mode: 'local', optimize_skip_unused_shards: 1 };
/** Right wherever rows are: what a subquery finds is sent to all shards. */
const NOT_COLOCATED: ClickHouseSettings = { distributed_product_mode: 'global', optimize_skip_unused_shards: 0 };

/**
 * A ClickHouse server, or a cluster of them, over HTTP. Throws ServiceUnavailable when none of its hosts can be
 * reached, StoreUnusable when it does not let this user in.
 */
export async function openRemote(options: RemoteOptions): Promise<Engine> {
  await createDatabase(options.url);
  const { url, poolSize } = options;
  return engineOver(openHosts(url, poolSize + 2, url.database), options);
}

/** Asks first: whoever made the database need not have let openray make one. */
async function createDatabase(url: StoreUrl): Promise<void> {
  const hosts = openHosts(url, 1, undefined);
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

function engineOver(
  hosts: Hosts,
  { url, poolSize, areTracesColocated: areTracesTogether, backupDisk }: RemoteOptions,
): Engine {
  const { cluster, database } = url;
  const constant = cluster ? { ...CLUSTER_SETTINGS, ...(areTracesTogether ? COLOCATED : NOT_COLOCATED) } : SETTINGS;
  const turns = (count: number) =>
    createSessionPool(
      Array.from({ length: count }, () => 0),
      MAX_WAITING,
    );
  const readers = turns(poolSize);
  const commanders = turns(1);
  const inserters = turns(1);

  async function kill(host: Host, callId: string): Promise<void> {
    try {
      const query = 'KILL QUERY WHERE query_id = {id:String} ASYNC';
      await host.control.command({ query, query_params: { id: callId } });
    } catch (thrown) {
      if (isUnreachable(thrown)) hosts.failOver(host);
      throw thrown;
    }
  }

  /** One attempt on one host, failing as the client does. `turn` lasts until it has ended in ClickHouse, too. */
  async function* ask(
    host: Host,
    { query, params }: RenderedSql,
    { settings, values, turn }: { settings: ClickHouseSettings; values?: Readable; turn: CallLease },
  ): AsyncGenerator<string, void, undefined> {
    const callId = randomUUID();
    const giveUp = new AbortController();
    const watched = watchCall(turn.options, () => kill(host, callId));
    const responding = host.client.exec({
      query,
      query_params: { ...params },
      query_id: callId,
      abort_signal: giveUp.signal,
      clickhouse_settings: {
        ...constant,
        max_execution_time: turn.options.timeoutMs / 1000,
        max_memory_usage: String(turn.options.maxMemoryBytes),
        ...settings,
      },
      ...(values && { values }),
    });
    const answer = responding.then(({ stream }) => ({ body: stream, pieces: readResponse(stream) }));
    answer.catch(() => {});
    let hasEnded = false;
    try {
      const { pieces } = await Promise.race([answer, watched.failed]);
      while (true) {
        const { done, value } = await Promise.race([pieces.next(), watched.failed]);
        if (done) break;
        yield value;
      }
      hasEnded = true;
    } catch (thrown) {
      // What ClickHouse or the connection says ends the call; only the watch speaks while it still runs.
      hasEnded = !(thrown instanceof OpenrayError);
      throw thrown;
    } finally {
      if (hasEnded) watched.end();
      else turn.extendUntil(drainKilledCall(answer, watched, giveUp));
    }
  }

  /** Strictly first: only when a shard is away, and the caller wants what the others have, without it. */
  async function perhapsIncomplete<Result>(
    { onIncomplete }: CallOptions,
    run: (settings: ClickHouseSettings) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await run({});
    } catch (thrown) {
      if (onIncomplete === undefined || !isShardUnavailable(thrown)) throw thrown;
      const result = await run({ skip_unavailable_shards: 1 });
      onIncomplete();
      return result;
    }
  }

  async function query(statement: RenderedSql, asked: CallOptions): Promise<string> {
    const turn = await acquireCallLease(readers, asked);
    try {
      return await perhapsIncomplete(asked, (settings) =>
        hosts.withHost((host) =>
          textOf(ask(host, inJson(statement), { settings: { ...RESULT_BOUNDS, ...settings }, turn })),
        ),
      );
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      turn.release();
    }
  }

  async function* stream(statement: RenderedSql, asked: CallOptions): AsyncIterable<string> {
    const turn = await acquireCallLease(readers, asked);
    try {
      // From its first piece on an answer belongs to the host that gives it.
      const { first, pieces } = await perhapsIncomplete(asked, (settings) =>
        hosts.withHost(async (host) => {
          const pieces = ask(host, inJson(statement), { settings: { ...UNBOUNDED, ...settings }, turn });
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
      turn.release();
    }
  }

  async function command(statement: RenderedSql, asked: CallOptions): Promise<void> {
    const turn = await acquireCallLease(commanders, asked);
    const settings: ClickHouseSettings = {
      distributed_ddl_task_timeout: String(Math.ceil(asked.timeoutMs / 1000)),
      ...(asked.insertToken !== undefined && { insert_deduplication_token: asked.insertToken }),
    };
    const run = async (host: Host, query: string) => {
      await textOf(ask(host, { query, params: statement.params }, { settings, turn }));
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
      turn.release();
    }
  }

  async function insert({ table, columns, bytes, insertToken }: RowBlock): Promise<void> {
    const turn = await acquireCallLease(inserters, {
      signal: undefined,
      timeoutMs: INSERT_TIMEOUT_MS,
      maxMemoryBytes: 0,
    });
    const query = `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) FORMAT RowBinary`;
    const settings: ClickHouseSettings = insertToken === undefined ? {} : { insert_deduplication_token: insertToken };
    try {
      await hosts.withHost((host) =>
        textOf(ask(host, { query, params: {} }, { settings, values: Readable.from([bytes]), turn })),
      );
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      turn.release();
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
  /** What was asked for, less the time that was waited. */
  readonly options: CallOptions;
  extendUntil(ended: Promise<void>): void;
  /** Over as soon as all that it lasts for has ended. */
  release(): void;
};

async function acquireCallLease(pool: SessionPool<unknown>, options: CallOptions): Promise<CallLease> {
  const deadline = performance.now() + options.timeoutMs;
  const { release } = await pool.acquire(options);
  const calls: Promise<void>[] = [];
  return {
    options: { ...options, timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) },
    extendUntil: (ended) => calls.push(ended),
    release: () => void Promise.allSettled(calls).then(release),
  };
}

/**
 * Kills a call and reads away what still comes of it, so that its connection stays good. To reset the connection would
 * end the call no sooner: ClickHouse looks at the connection only now and then.
 */
async function drainKilledCall(
  answer: Promise<QueryResponse>,
  watched: WatchedCall,
  giveUp: AbortController,
): Promise<void> {
  watched.kill();
  let body: Readable | undefined;
  const timer = setTimeout(() => {
    giveUp.abort();
    body?.destroy();
  }, DRAIN_TIMEOUT_MS);
  try {
    const { body: stream, pieces } = await answer;
    body = stream;
    for await (const piece of pieces) void piece;
  } catch {
    // It has ended, which is all that was asked for.
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
