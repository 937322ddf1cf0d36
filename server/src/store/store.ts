import type { Document } from '../model/entity.ts';
import type { TableCopy } from './backup.ts';
import type { RowBlock } from './engine.ts';
import type { HeldMaintenanceLock } from './maintenance-lock.ts';
import type { RecentDocuments } from './recent-documents.ts';
import type { RetentionWatermarks } from './retention.ts';
import type { Sql } from './sql.ts';

export type QueryOptions = {
  /** Cancels the query in the engine when it fires; the promise then rejects with RequestCancelled. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly maxMemoryBytes?: number;
  /**
   * Takes what there is when a shard of a cluster can not be reached, and tells of it here, once the answer is known.
   * Without it such a query throws ServiceUnavailable: an answer never is incomplete without saying so.
   */
  readonly onIncomplete?: () => void;
  /** Of the inserts into one table that share it only the first takes effect, whichever server sends them. */
  readonly insertToken?: string;
};

/** Documents since the server started; `received = stored + queued + refused`. */
export type DocumentCounts = {
  readonly received: number;
  readonly stored: number;
  readonly queued: number;
  readonly refused: number;
  readonly queuedBytes: number;
};

export type StoreStatistics = DocumentCounts & RetentionWatermarks;

export type RetentionLimits = {
  /** Documents that arrived longer ago go, whole days (UTC) at a time; 0 keeps them. */
  readonly days: number;
  /** The oldest go when all take more on disk, whole days first; 0 keeps them. */
  readonly bytes: number;
  /**
   * How long traces are kept that no rule keeps longer. Where that is shorter than `days`, what is too large is thinned
   * of them, day by day, before any day is dropped for its size.
   */
  readonly defaultDays?: number | undefined;
};

/** What is stored, of all servers on the store; and how much of it may be. */
export type StoreUsage = {
  /** On disk, of all tables, indexes included. */
  readonly bytes: number;
  /** Every version of every document, until merges drop what came twice. */
  readonly documents: number;
  /** The first day (UTC) of which something is kept; undefined while there is nothing. */
  readonly oldestDayUs: number | undefined;
  /** Left on the disk of the engine that was asked; undefined where it does not know. */
  readonly freeBytes: number | undefined;
  readonly queueMaxBytes: number;
  readonly retention: RetentionLimits;
};

/**
 * ClickHouse, embedded or remote. The one place that takes rows in and gives rows out.
 */
export type Store = {
  /**
   * Resolves once the documents are in ClickHouse (group commit). Throws ThrottledException when the queue is
   * full; then none of them was taken.
   */
  append(documents: readonly Document[]): Promise<void>;
  /** All rows of a statement. 64-bit integers arrive as numbers. */
  query<Row>(statement: Sql, options?: QueryOptions): Promise<readonly Row[]>;
  /** Rows as they come, for answers that do not fit into memory at once. Breaking out of the loop cancels it. */
  stream<Row>(statement: Sql, options?: QueryOptions): AsyncIterable<Row>;
  /** Runs a statement that returns nothing, on the session for writes. */
  command(statement: Sql, options?: QueryOptions): Promise<void>;
  /** Rows for a table of what is computed from documents, as one block: all of it or nothing. */
  insert(block: RowBlock): Promise<void>;
  /**
   * All documents that this server took with a `seq` up to this one are stored or refused; undefined while it has none
   * on their way.
   */
  lowWatermark(): number | undefined;
  /** Some documents that arrived before this time are about to be deleted: answers say so from here on. */
  recordIncomplete(beforeUs: number): Promise<void>;
  readonly recent: RecentDocuments;
  /** The last document that was stored when the store was opened; 0 when there was none. */
  readonly lastSeq: number;
  /** Whether other servers may store documents here, too. */
  readonly isShared: boolean;
  /** In the column `server` of what this server stores. */
  readonly serverNumber: number;
  /**
   * Copies all that is stored into a backup, while the server goes on; every document that was acknowledged before is in
   * it. Yields now and then. Throws InvalidRequestException for a name that is none or taken, ThrottledException when
   * old documents are being dropped or another backup is made for more than a minute, SettingInvalid when ClickHouse has
   * no place for backups.
   */
  backUp(name: string, signal: AbortSignal): AsyncIterable<TableCopy>;
  /** The turn for work on the whole store, of which one piece runs at a time; undefined while another one does. */
  acquireMaintenanceLock(): Promise<HeldMaintenanceLock | undefined>;
  statistics(): StoreStatistics;
  /** Asks the engine. */
  usage(options?: QueryOptions): Promise<StoreUsage>;
  /** Writes what is queued, then closes. */
  close(): Promise<void>;
};
