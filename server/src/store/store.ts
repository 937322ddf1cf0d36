import type { Document } from '../model/entity.ts';
import type { EncodedDocuments } from './encoded-documents.ts';
import type { DamagedPart } from './engine/damaged-parts.ts';
import type { EngineProcessStatus, ResultCut, RowBlock } from './engine/engine.ts';
import type { RecentDocuments } from './recent-documents.ts';
import type { Sql } from './sql.ts';
import type { TraceBounds } from './trace-bounds.ts';

export type QueryOptions = {
  /** Cancels the query in the engine when it fires; the promise then rejects with RequestCancelled. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly maxMemoryBytes?: number;
  /**
   * Allows an incomplete result when a shard of a cluster cannot be reached. Called with the reason once the incomplete
   * result is known. Without it such a query throws ServiceUnavailable, so that no result is incomplete unnoticed.
   * Damaged parts are left out in any case: they cannot be waited for.
   */
  readonly onIncomplete?: (reason: string) => void;
  /** Of the inserts into one table with the same token only the first takes effect, also from several servers. */
  readonly insertToken?: string;
  /**
   * The result may end once it has more rows, or more bytes as the engine holds them. Blocks of rows are never cut, so
   * that a result that has ended early exceeds one of the two.
   */
  readonly cutAt?: ResultCut;
};

/** Documents since the server started: `received = stored + queued + refused`. */
export type DocumentCounts = {
  readonly received: number;
  /** Acknowledged: in the journal or inserted. */
  readonly stored: number;
  /** Not yet acknowledged. */
  readonly queued: number;
  readonly refused: number;
  /** Encoded rows that are not inserted yet, of acknowledged documents too. */
  readonly queuedBytes: number;
  /** Time for which the oldest of them have waited. */
  readonly oldestWaitingMs: number;
};

export type RetentionWatermarks = {
  /** All documents that arrived before this time are deleted; undefined while none is. */
  readonly droppedBeforeUs: number | undefined;
  /** Some or all documents that arrived before this time are deleted, by retention rules or as whole days. */
  readonly prunedBeforeUs: number | undefined;
};

export type StoreStatistics = DocumentCounts &
  RetentionWatermarks & {
    /** Documents of the journal that were inserted when the store was opened. */
    readonly replayed: number;
  };

export type FlushOptions = {
  readonly signal?: AbortSignal;
  /** Two seconds by default. */
  readonly timeoutMs?: number;
  /** Called instead of throwing when the flush takes too long: the newest documents are missing from the result. */
  readonly onIncomplete?: () => void;
};

export type RetentionLimits = {
  /** Documents that arrived longer ago are dropped, whole days (UTC) at a time; 0 keeps them. */
  readonly days: number;
  /** Limit of the size on disk: the oldest documents above it are dropped, whole days first; 0 keeps them. */
  readonly bytes: number;
  /**
   * Days for which a trace is kept if no rule keeps it longer. If it is less than `days` and the store is too large,
   * such traces are deleted first, day by day; only then is a whole day dropped for its size.
   */
  readonly defaultDays?: number | undefined;
};

/** Size of the whole store, with the documents of all its servers, and the limits. */
export type StoreUsage = {
  /** On disk, all tables and their indexes. */
  readonly bytes: number;
  /** Every version of every document, and duplicates until a merge drops them. */
  readonly documents: number;
  /** The first day (UTC) that has documents; undefined for an empty store. */
  readonly oldestDayUs: number | undefined;
  /** Free space on the disk of the engine that answered; undefined if the engine does not report it. */
  readonly freeBytes: number | undefined;
  readonly queueMaxBytes: number;
  readonly retention: RetentionLimits;
};

/** Progress of one table that is copied into or out of a backup. */
export type TableCopy = {
  readonly table: string;
  readonly isDone: boolean;
  /** Size of all its rows; 0 before the copy is done. */
  readonly bytes: number;
  /** Location of the backup as ClickHouse writes it: `File('/var/backups/monday')`. */
  readonly destination: string;
};

/** Whether one part of the store works: see HealthCheck of api/openray/health.ts. */
export type StoreCheck = {
  readonly name: string;
  readonly state: 'ok' | 'degraded' | 'not-ready' | 'down';
  readonly sentence: string;
};

/** Of the node that answers, except for the parts, which are those of all shards. */
export type EngineStatistics = {
  readonly parts: number;
  readonly merges: number;
  /** Memory that the engine has allocated. */
  readonly memoryBytes: number;
};

/** A clock that does not follow jumps: see maintenance/trusted-clock.ts. All times are microseconds since 1970. */
export type TrustedClock = {
  /**
   * Time of an arrival: the clock, unless it jumped by more than a day; then the time that passed since. On a shared
   * store always the clock.
   */
  arrivalUs(): number;
  /** Whole days since all documents of a day of arrival had arrived. */
  ageInDays(day: number): number;
  /** The first reading that is not trusted: retention deletes nothing by age. Undefined while the clock is trusted. */
  unconfirmedSinceUs(): number | undefined;
};

/** `signal` fires when another server may have acquired the lock. */
export type HeldMaintenanceLock = { readonly signal: AbortSignal; release(): Promise<void> };

/** ClickHouse, embedded or remote. All rows are written and read through it. */
export type Store = {
  /**
   * Resolves once the documents are acknowledged: in the journal, or without one in ClickHouse. Throws
   * ThrottledException when the queue is full; then none of the documents is stored. Rows are copied before it returns.
   */
  append(documents: readonly Document[] | EncodedDocuments): Promise<void>;
  /**
   * Resolves once all documents that were acknowledged before the call are in ClickHouse. Call it once when a user's
   * question begins, never for the server's own work. Throws ServiceUnavailable after `timeoutMs`.
   */
  flush(options?: FlushOptions): Promise<void>;
  /**
   * Differs from an earlier value if documents may have been inserted, deleted or left out since, or rows that are made
   * from them. Undefined while documents wait for their insert or a command or an insert runs, and always on a shared
   * store, into which other servers insert.
   */
  contentVersion(): string | undefined;
  /** Calls `listener` after each insert of documents, with the highest `seq` of the block. Returns the end of it. */
  onInserted(listener: (lastSeq: number) => void): () => void;
  /** All rows of a statement. 64-bit integers arrive as numbers. */
  query<Row>(statement: Sql, options?: QueryOptions): Promise<readonly Row[]>;
  /** Rows as they arrive, for results that do not fit into memory. Leaving the loop cancels the query. */
  stream<Row>(statement: Sql, options?: QueryOptions): AsyncIterable<Row>;
  /** Runs a statement that returns nothing, on the session for writes. */
  command(statement: Sql, options?: QueryOptions): Promise<void>;
  /** Inserts rows that are computed from documents, as one block: all rows or none. */
  insert(block: RowBlock): Promise<void>;
  /**
   * All documents of this server with a `seq` up to this one are in ClickHouse or refused; undefined while no document
   * waits for its insert.
   */
  lowWatermark(): number | undefined;
  /** Call before deleting some documents that arrived before this time. Later results are marked as incomplete. */
  recordIncomplete(beforeUs: number): Promise<void>;
  readonly recent: RecentDocuments;
  /** See TraceBounds. */
  readonly traceBounds: TraceBounds;
  /** `seq` of the last document that was stored when the store was opened; 0 for an empty store. */
  readonly lastSeq: number;
  /** Whether other servers may use the same store. */
  readonly isShared: boolean;
  /** Value of the column `server` in rows of this server. */
  readonly serverNumber: number;
  /**
   * Copies the whole store into a backup while the server keeps running. The backup contains every document that was
   * acknowledged before the call. Yields progress at least once a table. Throws InvalidRequestException if the name is
   * invalid or exists, ThrottledException if the maintenance lock is held for more than a minute, SettingInvalid if
   * ClickHouse has no place for backups.
   */
  backUp(name: string, signal: AbortSignal): AsyncIterable<TableCopy>;
  readonly clock: TrustedClock;
  /** Parts that queries leave out, as they cannot be read. */
  damagedParts(): readonly DamagedPart[];
  /** Why results may be incomplete, as `onIncomplete` gets it; undefined without damaged parts. */
  damageReason(): string | undefined;
  /** Acquires the lock for work on the whole store; undefined while it is held. See maintenance-lock.ts. */
  acquireMaintenanceLock(): Promise<HeldMaintenanceLock | undefined>;
  statistics(): StoreStatistics;
  /** Undefined for a remote store. */
  engineProcess(): EngineProcessStatus | undefined;
  /** Runs a query. */
  engineStatistics(options?: QueryOptions): Promise<EngineStatistics>;
  /** Checks each part. Takes up to some seconds and never throws. */
  checks(): Promise<readonly StoreCheck[]>;
  /** Runs a query. */
  usage(options?: QueryOptions): Promise<StoreUsage>;
  /** Writes the queued documents, then closes. */
  close(): Promise<void>;
};
