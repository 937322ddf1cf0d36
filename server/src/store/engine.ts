import type { RenderedSql, Sql } from './sql.ts';

/** Bounds of one call. All are enforced by ClickHouse, `timeoutMs` also while the call waits for a session. */
export type CallOptions = {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** 0 for no bound but the engine's own. */
  readonly maxMemoryBytes: number;
  /** See QueryOptions of the store. */
  readonly onIncomplete?: (() => void) | undefined;
  readonly insertToken?: string | undefined;
};

/** Types of columns by name, in the order of their bytes. */
export type Columns = Readonly<Record<string, string>>;

/** Rows of one table in RowBinary. Of the blocks of a table that share an `insertToken` only the first takes effect. */
export type RowBlock = {
  readonly table: string;
  readonly columns: Columns;
  readonly bytes: Uint8Array;
  readonly insertToken?: string;
};

/**
 * A running ClickHouse: the little that differs between an embedded and a remote one.
 * Failures are OpenrayErrors: RequestCancelled, QueryTimeout, ThrottledException (too many calls wait),
 * ServiceUnavailable, StoreUnusable (no space), InternalFailure for the rest.
 */
export type Engine = {
  /** The answer in JSONEachRow. */
  query(statement: RenderedSql, options: CallOptions): Promise<string>;
  /** The answer in JSONEachRow, in pieces that end with whole lines. */
  stream(statement: RenderedSql, options: CallOptions): AsyncIterable<string>;
  /**
   * Runs a statement that returns nothing. Commands run one after the other, and never delay an insert.
   * Statements of the schema (CREATE … IF NOT EXISTS, ALTER, OPTIMIZE) and those about the rows that each node has (DELETE,
   * BACKUP, RESTORE) run on every node of a cluster.
   */
  command(statement: RenderedSql, options: CallOptions): Promise<void>;
  /** Resolves once the rows are in the table: all or, on failure, none of them; of a cluster, none or all on each shard. */
  insert(block: RowBlock): Promise<void>;
  /** Name of the cluster that it is. */
  readonly cluster: string | undefined;
  /** The `system.parts` of all shards, one replica each, to stand in a FROM. */
  readonly parts: Sql;
  /** The `system.backups` of all nodes, to stand in a FROM. */
  readonly backups: Sql;
  /** Where BACKUP writes to and RESTORE reads from, `path` in the one place that they may. */
  backupDestination(path: string): string;
  /** Lets running calls end, then closes. */
  close(): Promise<void>;
};
