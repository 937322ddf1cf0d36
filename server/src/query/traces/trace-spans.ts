import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import { sentSpans, type TraceSpan, traceToSpans } from '../../model/otlp/documents/trace-to-spans.ts';
import type { LogWithResource, SpanWithResource } from '../../model/otlp-messages.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { findTraces, type TraceQuery } from './find-traces.ts';
import { documentGroups, documentSql, documentsOfRow, readRows } from './load-traces.ts';
import type { SortKey } from './sort-key.ts';
import { loadAssembledTraces } from './trace-cache.ts';
import type { FirstPart } from './trace-sizes.ts';

/** A trace in OpenTelemetry's form: its spans by start, and the log records that contain their exceptions. */
export type SpansOfTrace = {
  readonly traceId: TraceId;
  readonly spans: readonly TraceSpan[];
  readonly records: readonly LogWithResource[];
  /** The trace exceeds the bounds, and these spans are its first part. */
  readonly firstPart: FirstPart | undefined;
};

/** Traces that are loaded at once. */
const BATCH = 50;

/**
 * The traces as far as they have arrived, in the order of `traceIds`; unknown ids are left out. Holds the documents of
 * one group at a time.
 */
export async function* loadTraceSpans(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions = {},
): AsyncGenerator<SpansOfTrace> {
  for await (const { documents, exceeding } of documentGroups(store, traceIds, options)) {
    for (const [traceId, ofTrace] of documents) {
      const trace = assembleTrace(ofTrace);
      if (trace !== undefined) yield spansOfTrace(trace, ofTrace, exceeding.get(traceId));
    }
  }
}

/** As `loadTraceSpans`, for the traces of one response: traces that have not changed are not read again. */
export async function loadSpansOfTraces(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<readonly SpansOfTrace[]> {
  const loaded = await loadAssembledTraces(store, traceIds, options);
  return loaded.map(({ trace, documents, firstPart }) => spansOfTrace(trace, documents, firstPart));
}

/** `documents` are those of the trace, or of its first part. */
export function spansOfTrace(
  trace: Trace,
  documents: readonly Document[],
  firstPart: FirstPart | undefined,
): SpansOfTrace {
  return { traceId: trace.id, spans: traceToSpans(trace, documents), records: recordsIn(documents), firstPart };
}

/** One entity as a span. `isReceived`: it arrived as a span. `records` contain its exceptions. */
export type EntityAsSpan = {
  readonly spanWithResource: SpanWithResource;
  readonly isReceived: boolean;
  readonly records: readonly LogWithResource[];
};

/**
 * Undefined when there is no such span: the entity is unknown, or it represents the service of a call. An entity that
 * arrived as a span is read alone; any other one needs its whole trace.
 */
export async function loadSpan(
  store: Store,
  traceId: TraceId,
  id: EntityId,
  options: QueryOptions = {},
): Promise<EntityAsSpan | undefined> {
  const rows = await readRows(store, documentSql(traceId, id), options);
  const documents = rows.flatMap(documentsOfRow);
  const sent = sentSpans(documents).get(id);
  if (sent) return { spanWithResource: sent, isReceived: true, records: recordsIn(documents) };
  for await (const { spans } of loadTraceSpans(store, [traceId], options)) {
    const found = spans.find(({ spanWithResource }) => spanWithResource.span.spanId === id);
    if (found) return { spanWithResource: found.spanWithResource, isReceived: false, records: [] };
  }
  return undefined;
}

/** A log record that was sent again appears once. */
function recordsIn(documents: readonly Document[]): readonly LogWithResource[] {
  const logs = documents.flatMap((one) => (one.format === 'otlp-log' ? [[one.text, one.log] as const] : []));
  return [...new Map(logs).values()];
}

/** The traces that `findTraces` finds, in its order, until the caller stops. */
export async function* findTraceSpans(
  store: Store,
  query: TraceQuery,
  options: QueryOptions = {},
): AsyncGenerator<SpansOfTrace & { readonly sortKey: SortKey }> {
  let pending = new Map<TraceId, SortKey>();
  async function* loaded() {
    const batch = pending;
    pending = new Map();
    for await (const trace of loadTraceSpans(store, [...batch.keys()], options)) {
      yield { ...trace, sortKey: batch.get(trace.traceId) as SortKey };
    }
  }
  for await (const { summary, sortKey } of findTraces(store, query, options)) {
    pending.set(summary.id, sortKey);
    if (pending.size === BATCH) yield* loaded();
  }
  yield* loaded();
}

/** Estimated number of traces that started in the window. */
export async function countTraces(store: Store, window: TimeInterval, options: QueryOptions): Promise<number> {
  const statement = sql`
    SELECT uniq(trace_id) AS traces FROM entities WHERE ${inIntervalSql(sql`start_us`, window)}`;
  const [row] = await store.query<{ traces: number }>(statement, options);
  return row?.traces ?? 0;
}
