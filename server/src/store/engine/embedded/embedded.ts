import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../../../errors.ts';
import { type RenderedSql, sql } from '../../sql.ts';
import { causeMessageOf, toStoreFailure } from '../clickhouse-errors.ts';
import type { CallOptions, Engine, EngineProcess, RowBlock } from '../engine.ts';
import { quote } from '../parameters.ts';
import { type EngineChild, engineUnavailable, startEngineChild } from './engine-child.ts';
import { processUsage } from './process-usage.ts';
import type { SessionsOptions } from './protocol.ts';

export type EmbeddedOptions = SessionsOptions & {
  /** Blocks of rows that the engine reads when they are inserted. */
  readonly spoolDirectory: string;
  readonly log: { warn(fields: object, sentence: string): void; info(fields: object, sentence: string): void };
};

/** Before a start after a process that ended soon; doubled each time. */
const FIRST_RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 5_000;
/** A process that ran for longer is restarted at once. */
const SOON_MS = 10_000;
/** Time for which an insert waits for a restart. Its callers repeat it, at last for ever. */
const INSERT_PATIENCE_MS = 1_500;
/** Time for calls that run when the engine is closed. */
const CLOSE_MAX_MS = 3_000;

/**
 * ClickHouse in a process of its own, which is restarted when it ends. Until then inserts wait for a moment, and all
 * other calls fail with ServiceUnavailable. Throws as `openSessions` does.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Engine> {
  let child = startEngineChild(options);
  let callCount = 0;
  let restarts = 0;
  let outage: { readonly sinceMs: number; readonly reason: string } | undefined;
  /** Resolves when the outage has ended. */
  let restarted: Promise<void> = Promise.resolve();
  const restartListeners: Parameters<EngineProcess['onRestart']>[0][] = [];
  const closing = new AbortController();

  await untilOpen(child);
  const supervising = superviseFrom(child);

  async function superviseFrom(first: EngineChild): Promise<void> {
    let running = first;
    let failures = 0;
    for (;;) {
      const startedMs = performance.now();
      const reason = await running.ended;
      if (closing.signal.aborted) return;
      const isSoon = performance.now() - startedMs < SOON_MS;
      const sinceMs = performance.now();
      outage = { sinceMs, reason };
      options.log.warn({ reason: `the process of the engine ${reason}` }, 'the embedded engine is restarted');
      const restarting = restart(isSoon ? failures + 1 : 0);
      restarted = restarting.then(() => {});
      const done = await restarting;
      if (done === undefined) return;
      ({ running, failures } = done);
      options.log.info({ ms: Math.round(performance.now() - sinceMs) }, 'the embedded engine is back');
    }
  }

  /** Starts processes until one is open; undefined when the engine is closed meanwhile. `failures` have happened. */
  async function restart(failures: number) {
    for (let failed = failures; ; failed++) {
      const delayMs = failed === 0 ? 0 : Math.min(FIRST_RESTART_DELAY_MS * 2 ** (failed - 1), MAX_RESTART_DELAY_MS);
      await delay(delayMs, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return undefined;
      restarts += 1;
      try {
        child = startEngineChild(options);
        await untilOpen(child);
        for (const listener of restartListeners) await listener({ query: (...call) => queryOn(child, ...call) });
        outage = undefined;
        return { running: child, failures: failed };
      } catch (thrown) {
        child.kill();
        if (closing.signal.aborted) return undefined;
        options.log.warn({ reason: causeMessageOf(thrown) }, 'the embedded engine cannot be restarted; trying again');
      }
    }
  }

  function runningChild(): EngineChild {
    if (closing.signal.aborted) throw new OpenrayError('ServiceUnavailable', 'The store is closing');
    if (outage !== undefined) throw engineUnavailable(outage.reason);
    return child;
  }

  async function run(on: EngineChild, kind: 'query' | 'command', statement: RenderedSql, options: CallOptions) {
    const { signal } = options;
    if (signal?.aborted) throw cancelled();
    const id = ++callCount;
    const onAbort = () => on.cancel(id);
    signal?.addEventListener('abort', onAbort, { once: true });
    return on
      .call({ kind, id, statement, limits: limitsOf(options) })
      .finally(() => signal?.removeEventListener('abort', onAbort));
  }

  async function queryOn(on: EngineChild, statement: RenderedSql, options: CallOptions): Promise<string> {
    return textOf(await run(on, 'query', statement, options));
  }

  async function* stream(statement: RenderedSql, options: CallOptions): AsyncIterable<string> {
    const { signal } = options;
    const on = runningChild();
    const id = ++callCount;
    const onAbort = () => on.cancel(id);
    signal?.addEventListener('abort', onAbort, { once: true });
    let isRunning = true;
    const ask = async (request: Parameters<EngineChild['call']>[0]) => {
      if (signal?.aborted) throw cancelled();
      isRunning = false;
      const rows = await on.call(request);
      isRunning = rows !== undefined;
      return rows;
    };
    try {
      let rows = await ask({ kind: 'stream', id, statement, limits: limitsOf(options) });
      while (rows !== undefined) {
        yield textOf(rows);
        rows = await ask({ kind: 'next', id });
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (isRunning) on.cancel(id);
    }
  }

  async function insert({ bytes, ...block }: RowBlock): Promise<void> {
    if (outage !== undefined) await Promise.race([restarted, delay(INSERT_PATIENCE_MS)]);
    const on = runningChild();
    const id = ++callCount;
    const path = join(options.spoolDirectory, `${block.table}-${id}.rows`);
    try {
      await writeFile(path, bytes, { mode: 0o600 });
      await on.call({ kind: 'insert', id, rows: { ...block, path } });
    } catch (thrown) {
      throw toStoreFailure(thrown);
    } finally {
      await unlink(path).catch(() => {});
    }
  }

  return {
    cluster: undefined,
    parts: sql`system.parts`,
    backups: sql`system.backups`,
    backupDestination: (path) => `File(${quote(join(options.backupDir, path))})`,
    process: {
      status: () => ({ pid: child.pid, restarts, outage, usage: processUsage(child.pid) }),
      onRestart: (listener) => restartListeners.push(listener),
    },
    query: async (statement, call) => queryOn(runningChild(), statement, call),
    stream,
    async command(statement, call) {
      await run(runningChild(), 'command', statement, call);
    },
    insert,
    async close() {
      const isOpen = outage === undefined;
      closing.abort();
      const closed = isOpen ? child.call({ kind: 'close', id: ++callCount }) : Promise.resolve();
      await Promise.race([closed.catch(() => {}), delay(CLOSE_MAX_MS, undefined, { ref: false })]);
      child.kill();
      await supervising;
      await child.ended;
    },
  };
}

/** A process that cannot open has ended when this rejects. */
async function untilOpen(child: EngineChild): Promise<void> {
  try {
    await child.opened;
  } catch (thrown) {
    await child.ended;
    throw thrown;
  }
}

const limitsOf = ({ timeoutMs, maxMemoryBytes, insertToken, cutAt }: CallOptions) => ({
  timeoutMs,
  maxMemoryBytes,
  insertToken,
  cutAt,
});

const textOf = (rows: Uint8Array | undefined): string =>
  rows === undefined ? '' : Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength).toString();

const cancelled = () => new OpenrayError('RequestCancelled', 'The request was cancelled before its query ran');
