import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import { sentSpans, type TraceSpan, traceToSpans } from '../../model/otlp/documents/trace-to-spans.ts';
import type { LogWithResource, SpanWithResource } from '../../model/otlp-messages.ts';
import { parseStored } from '../../model/parse-stored.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import { findTraces, type TraceQuery } from './find-traces.ts';
import { type DocumentRow, documentSql, loadDocuments } from './load-traces.ts';
import type { SortKey } from './sort-key.ts';

/** A trace as OpenTelemetry has it: its spans by start, and the log records that tell of their exceptions. */
export type SpansOfTrace = {
  readonly traceId: TraceId;
  readonly spans: readonly TraceSpan[];
  readonly records: readonly LogWithResource[];
};

/** Traces that are loaded at once. */
const BATCH = 50;

/** The traces as far as they have arrived, in the order of `traceIds`; unknown ids are left out. */
export async function loadTraceSpans(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions = {},
): Promise<readonly SpansOfTrace[]> {
  const documents = await loadDocuments(store, traceIds, options);
  return traceIds.flatMap((traceId) => {
    const ofTrace = documents.get(traceId) ?? [];
    const trace = assembleTrace(ofTrace);
    if (trace === undefined) return [];
    return [{ traceId, spans: traceToSpans(trace, ofTrace), records: recordsIn(ofTrace) }];
  });
}

/** One entity as a span; `isAsSent` where it came as one. `records` tell of its exceptions. */
export type SpanOfEntity = {
  readonly place: SpanWithResource;
  readonly isReceived: boolean;
  readonly records: readonly LogWithResource[];
};

/**
 * Undefined where there is no such span: the entity is unknown, or stands for the service around a call. What came as a
 * span is read alone; what did not needs its whole trace.
 */
export async function loadSpan(
  store: Store,
  traceId: TraceId,
  id: EntityId,
  options: QueryOptions = {},
): Promise<SpanOfEntity | undefined> {
  const rows = await store.query<DocumentRow>(documentSql(traceId, id), options);
  const documents = rows.flatMap(({ format, body, seq }) => parseStored(format, body, seq));
  const sent = sentSpans(documents).get(id);
  if (sent) return { place: sent, isReceived: true, records: recordsIn(documents) };
  const [trace] = await loadTraceSpans(store, [traceId], options);
  const made = trace?.spans.find(({ spanWithResource: place }) => place.span.spanId === id);
  return made && { place: made.spanWithResource, isReceived: false, records: [] };
}

/** One that was sent again is the same record. */
function recordsIn(documents: readonly Document[]): readonly LogWithResource[] {
  const logs = documents.flatMap((one) => (one.format === 'otlp-log' ? [[one.text, one.log] as const] : []));
  return [...new Map(logs).values()];
}

/** The traces that `findTraces` finds, in its order, as long as the caller takes them. */
export async function* findTraceSpans(
  store: Store,
  query: TraceQuery,
  options: QueryOptions = {},
): AsyncGenerator<SpansOfTrace & { readonly place: SortKey }> {
  let places = new Map<TraceId, SortKey>();
  async function* loaded() {
    const batch = places;
    places = new Map();
    for (const trace of await loadTraceSpans(store, [...batch.keys()], options)) {
      yield { ...trace, place: batch.get(trace.traceId) as SortKey };
    }
  }
  for await (const { trace, sortKey: place } of findTraces(store, query, options)) {
    places.set(trace.id, place);
    if (places.size === BATCH) yield* loaded();
  }
  yield* loaded();
}

/** Traces that started in the window, about. */
export async function countTraces(store: Store, { fromUs, toUs }: TimeWindow, options: QueryOptions): Promise<number> {
  const statement = sql`SELECT uniq(trace_id) AS traces FROM entities WHERE start_us >= ${fromUs} AND start_us < ${toUs}`;
  const [row] = await store.query<{ traces: number }>(statement, options);
  return row?.traces ?? 0;
}
