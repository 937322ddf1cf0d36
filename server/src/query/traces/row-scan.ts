import { OpenrayError } from '../../errors.ts';
import type { FilterSubject } from '../../filter/subject.ts';
import { fromThrough, isEmpty, splitBefore, type TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { LATEST_BATCH_FACTOR } from './candidate-scan.ts';
import { newKeptResult } from './kept-result.ts';
import type { ListOrder, SortKey } from './sort-key.ts';
import { STORED_SUMMARY, type StoredSummary, subjectFromStored } from './stored-summaries.ts';
import { readSummaryState, type SummaryState } from './summary-state.ts';

/*
 * A list from the rows of `trace_summaries`:
 *
 *   readRowState: the roll-up watermark
 *      |
 *      +--> open: traces about which no row decides, such as those with documents behind the watermark;
 *      |          find-traces.ts loads them
 *      +--> scanRows: the rows of all others, in the order of the list
 */

/** Traces about which no row decides. */
export type OpenTraces = {
  /** By id a time at which or before which the trace started. */
  readonly latestStarts: ReadonlyMap<TraceId, number>;
  /** Condition on `trace_id`. It may hold for more traces later. */
  readonly where: Sql;
};

/** What has to be known before rows are read. `open` is undefined when there are too many. */
export type RowState = { readonly state: SummaryState; readonly open: Promise<OpenTraces | undefined> };

const keptState = newKeptResult<RowState>();

/**
 * Undefined when rows cannot be read: documents have all traces. `open` is read meanwhile. Without a query while the
 * content of the store does not change.
 */
export async function readRowState(store: Store, options: QueryOptions): Promise<RowState | undefined> {
  if (store.damagedParts().some(({ table }) => table === 'trace_summaries')) return undefined;
  const known = keptState.of(store);
  if (known !== undefined) return known;
  const contentVersion = store.contentVersion();
  const state = await readSummaryState(store, options);
  if (!state.isFilled || state.rollUpWatermark === 0) return undefined;
  const open = readOpenTraces(store, state, options).then((read) => {
    keptState.keep(store, contentVersion, { state, open });
    return read;
  });
  return { state, open };
}

/** Above this number, a list is faster without rows than with a list of exceptions. */
const MAX_OPEN = 20_000;

/** Undefined when there are more than MAX_OPEN. */
async function readOpenTraces(
  store: Store,
  { rollUpWatermark, droppedBeforeUs }: SummaryState,
  options: QueryOptions,
): Promise<OpenTraces | undefined> {
  const isPartlyDropped = sql`first_seq < ${droppedBeforeUs} AND last_seq >= ${droppedBeforeUs} AND start_us > 0`;
  // A trace that lost its first documents starts later than its row says, but not after its end.
  const partlyDropped = sql`
    UNION ALL SELECT trace_id, greatest(start_us, end_us) AS start FROM trace_summaries WHERE ${isPartlyDropped}`;
  const rows = await store.query<{ trace_id: TraceId; start: number }>(
    sql`
      SELECT lower(hex(trace_id)) AS trace_id, start FROM (
        SELECT trace_id, max(start) AS start FROM (
          SELECT trace_id, min(start_us) AS start FROM documents WHERE seq > ${rollUpWatermark} GROUP BY trace_id
          UNION ALL SELECT trace_id, root_start_us AS start FROM trace_summaries WHERE start_us = 0 AND is_deleted = 0
          ${droppedBeforeUs > 0 ? partlyDropped : sql``}
        )
        GROUP BY trace_id LIMIT ${MAX_OPEN + 1}
      )`,
    options,
  );
  if (rows.length > MAX_OPEN) return undefined;
  const where = [
    sql`trace_id IN (SELECT trace_id FROM documents WHERE seq > ${rollUpWatermark})`,
    sql`trace_id IN (SELECT trace_id FROM trace_summaries WHERE start_us = 0 AND is_deleted = 0)`,
    ...(droppedBeforeUs > 0 ? [sql`trace_id IN (SELECT trace_id FROM trace_summaries WHERE ${isPartlyDropped})`] : []),
  ];
  return { latestStarts: new Map(rows.map((row) => [row.trace_id, row.start])), where: sql.or(where) };
}

export type RowScan = {
  readonly window: TimeInterval;
  /** Condition on the columns of a row that holds for all traces of the list. */
  readonly condition: Sql | undefined;
  readonly order: ListOrder;
  readonly after: SortKey | undefined;
  readonly droppedBeforeUs: number;
  /** Approximate number of traces that the caller takes. */
  readonly batchSize: number;
};

const LARGEST_BATCH = 2_000;
/**
 * Rows in the first slice: about as many as the engine reads in the time that a query takes anyway. Later slices adapt
 * to the number of rows found, bounded by SLICE_GROWTH.
 */
const FIRST_SLICE_ROWS = 20_000;
const SLICE_GROWTH = 16;

/** The traces of a window of starts, in the order of the list, as their rows have them. Some may be open. */
export function scanRows(store: Store, scan: RowScan, options: QueryOptions): AsyncGenerator<readonly FilterSubject[]> {
  switch (scan.order.by) {
    case 'start':
      return scan.condition === undefined ? scanByStart(store, scan, options) : scanSlices(store, scan, options);
    case 'duration':
    case 'responsetime':
      return scanByValue(store, scan, options);
    case 'updated':
    case 'ended':
      throw new OpenrayError('InternalFailure', `rows are not sorted by ${scan.order.by}`);
  }
}

type VersionRow = StoredSummary & {
  readonly version: number;
  readonly is_deleted: number;
  readonly first_seq: number;
};

/**
 * Reads the table from the end, or from the beginning, until a page is full. So it does not read with FINAL, which reads
 * all rows of the window: the versions of a row follow each other here, and the last one counts.
 */
async function* scanByStart(
  store: Store,
  { window, order: { isDescending }, after, droppedBeforeUs, batchSize }: RowScan,
  options: QueryOptions,
): AsyncGenerator<readonly FilterSubject[]> {
  const direction = isDescending ? sql`DESC` : sql`ASC`;
  let limit = Math.ceil(batchSize * LATEST_BATCH_FACTOR);
  let last: Key | undefined = after;
  for (;;) {
    const where = [startsIn(window), ...(last ? afterSql(last, isDescending) : [])];
    const rows = await store.query<VersionRow>(
      sql`
        SELECT ${STORED_SUMMARY}, version, is_deleted, first_seq FROM trace_summaries WHERE ${sql.and(where)}
        ORDER BY start_us ${direction}, trace_summaries.trace_id ${direction} LIMIT ${limit}`,
      options,
    );
    const versions = byKey(rows);
    const isFull = rows.length === limit;
    if (isFull && versions.length === 1) {
      limit *= 2;
      continue;
    }
    // There may be more versions of the last row.
    if (isFull) versions.pop();
    yield versions
      .map(latestOf)
      .filter((row) => row.is_deleted === 0 && row.first_seq >= droppedBeforeUs)
      .map(subjectFromStored);
    const lastRow = versions.at(-1)?.[0];
    if (!isFull || lastRow === undefined) return;
    last = { key: lastRow.start_us, traceId: lastRow.trace_id };
    limit = Math.max(limit, Math.min(limit * 2, LARGEST_BATCH));
  }
}

/** Versions of each row, which follow each other. */
function byKey(rows: readonly VersionRow[]): VersionRow[][] {
  const versions: VersionRow[][] = [];
  for (const row of rows) {
    const ofLast = versions.at(-1);
    if (ofLast?.[0]?.trace_id === row.trace_id && ofLast[0].start_us === row.start_us) ofLast.push(row);
    else versions.push([row]);
  }
  return versions;
}

/** Retention rules replace a row without a new version, since they delete the documents that arrived first. */
function latestOf(versions: readonly VersionRow[]): VersionRow {
  return versions.reduce((latest, row) =>
    row.version > latest.version || (row.version === latest.version && row.first_seq > latest.first_seq) ? row : latest,
  );
}

/** Slices of the window, in the order of the list, until a page is full. */
async function* scanSlices(
  store: Store,
  scan: RowScan,
  options: QueryOptions,
): AsyncGenerator<readonly FilterSubject[]> {
  const { order, after, batchSize } = scan;
  const { isDescending } = order;
  let bounds = await boundsOfRows(store, scan, options);
  let sliceUs = 0;
  while (bounds !== undefined) {
    const { window: remaining, firstSliceUs } = bounds;
    sliceUs = Math.max(sliceUs, firstSliceUs);
    const [rest, slice]: readonly [TimeInterval, TimeInterval] = isDescending
      ? splitBefore(remaining, remaining.toUs - sliceUs)
      : (splitBefore(remaining, remaining.fromUs + sliceUs).toReversed() as [TimeInterval, TimeInterval]);
    const sorted = { value: sql`start_us`, hasValue: sql`true`, isDescending, after };
    let count = 0;
    for await (const subjects of scanSorted(store, { ...scan, window: slice }, sorted, options)) {
      count += subjects.length;
      yield subjects;
    }
    const needed = (1.5 * batchSize) / Math.max(count, batchSize / SLICE_GROWTH);
    sliceUs *= Math.ceil(Math.max(1, Math.min(needed, SLICE_GROWTH)));
    if (isEmpty(rest)) return;
    // There may be no rows for a long time: the width of a slice alone would take a query for each empty one.
    bounds =
      count > 0 ? { window: rest, firstSliceUs: 0 } : await boundsOfRows(store, { ...scan, window: rest }, options);
  }
}

type RowBounds = { readonly first: number; readonly last: number; readonly count: number };

/** The part of the window from the first row after the cursor, and the width of its first slice. Undefined without rows. */
async function boundsOfRows(
  store: Store,
  { window, order: { isDescending }, after }: RowScan,
  options: QueryOptions,
): Promise<{ readonly window: TimeInterval; readonly firstSliceUs: number } | undefined> {
  const newest = isDescending && after === undefined ? await newestRows(store, options) : undefined;
  // Of a window that ends before the newest row, others are the first ones.
  const bounds =
    newest !== undefined && newest.last < window.toUs
      ? newest
      : await readBounds(
          store,
          [startsIn(window), ...(after ? afterSql(after, isDescending) : [])],
          isDescending,
          options,
        );
  const { first, last, count } = bounds;
  if (count === 0 || last < window.fromUs) return undefined;
  const rows = fromThrough(first, last);
  const within = isDescending ? { ...window, toUs: rows.toUs } : { ...window, fromUs: rows.fromUs };
  const { fromUs, toUs } = count < FIRST_SLICE_ROWS ? within : rows;
  return { window: within, firstSliceUs: toUs - fromUs };
}

const keptNewest = newKeptResult<RowBounds>();

/** The newest FIRST_SLICE_ROWS rows. Without a query while the content of the store does not change. */
async function newestRows(store: Store, options: QueryOptions): Promise<RowBounds | undefined> {
  const contentVersion = store.contentVersion();
  if (contentVersion === undefined) return undefined;
  const known = keptNewest.of(store);
  if (known !== undefined) return known;
  const bounds = await readBounds(store, [sql`start_us > 0`], true, options);
  keptNewest.keep(store, contentVersion, bounds);
  return bounds;
}

/** Of the first FIRST_SLICE_ROWS rows. */
async function readBounds(
  store: Store,
  where: readonly Sql[],
  isDescending: boolean,
  options: QueryOptions,
): Promise<RowBounds> {
  const direction = isDescending ? sql`DESC` : sql`ASC`;
  const [row] = await store.query<RowBounds>(
    sql`
      SELECT min(start_us) AS first, max(start_us) AS last, count() AS count FROM (
        SELECT start_us FROM trace_summaries WHERE ${sql.and(where)}
        ORDER BY start_us ${direction} LIMIT ${FIRST_SLICE_ROWS}
      )`,
    options,
  );
  return row ?? { first: 0, last: 0, count: 0 };
}

/** Traces with a value, in its order, then the others, newest first. */
async function* scanByValue(
  store: Store,
  scan: RowScan,
  options: QueryOptions,
): AsyncGenerator<readonly FilterSubject[]> {
  const { order, after } = scan;
  const [value, hasValue] =
    order.by === 'duration' ? [sql`duration_us`, sql`has_duration`] : [sql`response_us`, sql`has_response`];
  if (after?.part !== 'rest') yield* scanSorted(store, scan, { value, hasValue, ...order, after }, options);
  const rest = { value: sql`start_us`, hasValue: sql`NOT ${hasValue}`, isDescending: true };
  yield* scanSorted(store, scan, { ...rest, after: after?.part === 'rest' ? after : undefined }, options);
}

async function* scanSorted(
  store: Store,
  { window, condition, droppedBeforeUs, batchSize }: RowScan,
  {
    value,
    hasValue,
    isDescending,
    after,
  }: {
    readonly value: Sql;
    readonly hasValue: Sql;
    readonly isDescending: boolean;
    readonly after: SortKey | undefined;
  },
  options: QueryOptions,
): AsyncGenerator<readonly FilterSubject[]> {
  const direction = isDescending ? sql`DESC` : sql`ASC`;
  let limit = Math.ceil(batchSize * LATEST_BATCH_FACTOR);
  let last: Key | undefined = after;
  for (;;) {
    const where = [
      startsIn(window),
      hasValue,
      ...(droppedBeforeUs > 0 ? [sql`first_seq >= ${droppedBeforeUs}`] : []),
      ...(condition ? [condition] : []),
      ...(last ? [keysetSql(value, last, isDescending)] : []),
    ];
    // The engine sorts few columns of all rows, and reads the others of the rows that are left.
    const rows = await store.query<StoredSummary & { readonly key: number }>(
      sql`
        SELECT ${STORED_SUMMARY}, ${value} AS key FROM trace_summaries FINAL WHERE ${sql.and(where)}
        ORDER BY ${value} ${direction}, trace_summaries.trace_id ${direction} LIMIT ${limit}`,
      options,
    );
    yield rows.map(subjectFromStored);
    const lastRow = rows.at(-1);
    if (rows.length < limit || lastRow === undefined) return;
    last = { key: lastRow.key, traceId: lastRow.trace_id };
    limit = Math.min(limit * 2, LARGEST_BATCH);
  }
}

/** Rows with start_us 0 are no summaries. */
const startsIn = ({ fromUs, toUs }: TimeInterval): Sql =>
  inIntervalSql(sql`start_us`, { fromUs: Math.max(1, fromUs), toUs });

type Key = { readonly key: number; readonly traceId: string };

/** The first condition is for the primary key. */
const afterSql = (last: Key, isDescending: boolean): readonly Sql[] => [
  isDescending ? sql`start_us <= ${last.key}` : sql`start_us >= ${last.key}`,
  keysetSql(sql`start_us`, last, isDescending),
];

const keysetSql = (value: Sql, last: Key, isDescending: boolean): Sql =>
  isDescending ? sql`(${value}, trace_id) < ${keySql(last)}` : sql`(${value}, trace_id) > ${keySql(last)}`;

const keySql = ({ key, traceId }: Key): Sql => sql`(${key}, toFixedString(unhex(${traceId}), 16))`;
