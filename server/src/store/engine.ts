import type { RenderedSql } from './sql.ts';

/** Bounds of one call. All are enforced by ClickHouse, `timeoutMs` also while the call waits for a session. */
export type CallOptions = {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** 0 for no bound but the engine's own. */
  readonly maxMemoryBytes: number;
};

/** Types of columns by name, in the order of their bytes. */
export type Columns = Readonly<Record<string, string>>;

/** Rows of one table in RowBinary. */
export type RowBlock = { readonly table: string; readonly columns: Columns; readonly bytes: Uint8Array };

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
  /** Runs a statement that returns nothing. Commands run one after the other, and never delay an insert. */
  command(statement: RenderedSql, options: CallOptions): Promise<void>;
  /** Resolves once the rows are in the table: all or, on failure, none of them. */
  insert(block: RowBlock): Promise<void>;
  /** Lets running calls end, then closes. */
  close(): Promise<void>;
};
