import type { RenderedSql, Sql } from '../sql.ts';

/** A result ends soon after it has more rows or bytes, as the engine holds them. */
export type ResultCut = { readonly rows: number; readonly bytes: number };

/** Limits of one call. ClickHouse enforces them; `timeoutMs` also covers the wait for a session. */
export type CallOptions = {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** 0 for the engine's own limit only. */
  readonly maxMemoryBytes: number;
  /** See QueryOptions of the store. */
  readonly onIncomplete?: ((reason: string) => void) | undefined;
  readonly insertToken?: string | undefined;
  /** Not for streams. Without it a result that is too large fails. */
  readonly cutAt?: ResultCut | undefined;
};

/** Types of columns by name, in the order of their bytes in a row. */
export type Columns = Readonly<Record<string, string>>;

/** Rows of one table in RowBinary. Of the blocks of a table with the same `insertToken` only the first takes effect. */
export type RowBlock = {
  readonly table: string;
  readonly columns: Columns;
  /** Whole, or in parts. */
  readonly bytes: Uint8Array | readonly Uint8Array[];
  readonly insertToken?: string;
  /** Of a remote engine, for all attempts on its hosts. */
  readonly timeoutMs?: number;
  /**
   * Of an insert that is repeated: the columns that identify a row, and rows of the table among which the block's are.
   * A remote engine that was killed may know the token without having the rows; those that are missing are inserted.
   */
  readonly repeats?: { readonly key: readonly string[]; readonly among: Sql };
};

/**
 * A running ClickHouse: only the operations that differ between an embedded and a remote one.
 * Failures are OpenrayErrors: RequestCancelled, QueryTimeout, ThrottledException (too many calls wait),
 * ServiceUnavailable, StoreUnusable (no space), InternalFailure for the rest.
 */
export type Engine = {
  /** The result in JSONEachRow. */
  query(statement: RenderedSql, options: CallOptions): Promise<string>;
  /** The result in JSONEachRow, in pieces of whole lines. */
  stream(statement: RenderedSql, options: CallOptions): AsyncIterable<string>;
  /**
   * Runs a statement that returns nothing. Commands run one after the other, and never delay an insert.
   * Statements of the schema (CREATE … IF NOT EXISTS, ALTER, OPTIMIZE) and statements about the rows of a node (DELETE,
   * BACKUP, RESTORE) run on every node of a cluster.
   */
  command(statement: RenderedSql, options: CallOptions): Promise<void>;
  /** Resolves once all rows are in the table. On failure none is; on a cluster all or none of each shard. */
  insert(block: RowBlock): Promise<void>;
  /** Name of the cluster; undefined for a single server. */
  readonly cluster: string | undefined;
  /** The `system.parts` of all shards, one replica each, for use in FROM. */
  readonly parts: Sql;
  /** The `system.backups` of all nodes, for use in FROM. */
  readonly backups: Sql;
  /** Of an embedded engine only. */
  readonly process?: EngineProcess;
  /** Destination of BACKUP and source of RESTORE: `path` below the allowed place for backups. */
  backupDestination(path: string): string;
  /** Waits for running calls, then closes. */
  close(): Promise<void>;
};

/** The process of an embedded engine. */
export type EngineProcess = {
  status(): EngineProcessStatus;
  /** Calls `listener` after each restart, before any other call reaches the engine. If it fails, so does the restart. */
  onRestart(listener: (engine: Pick<Engine, 'query'>) => Promise<void>): void;
};

export type EngineProcessStatus = {
  /** Of the process that runs or starts. */
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly usage: ProcessUsage | undefined;
  /** Undefined while the engine takes calls. `reason` is how the process ended, `sinceMs` is of `performance.now()`. */
  readonly outage: { readonly sinceMs: number; readonly reason: string } | undefined;
};

export type ProcessUsage = {
  readonly residentBytes: number;
  readonly cpuSeconds: Readonly<Record<'user' | 'system', number>>;
};
