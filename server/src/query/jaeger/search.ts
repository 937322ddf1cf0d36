import { type JaegerTrace, jaegerTrace } from '../../model/jaeger.ts';
import { contains, type TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { lastSeqWithoutSpanTexts } from '../../store/span-texts.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { serviceGraphOf } from '../service-graph/service-graph.ts';
import type { ScanOptions } from '../traces/candidate-scan.ts';
import { findInOrder } from '../traces/find-in-order.ts';
import type { ListOrder, SortKey } from '../traces/sort-key.ts';
import { subjectFromRows } from '../traces/summary-from-rows.ts';
import { assembledGroups } from '../traces/trace-cache.ts';
import { loadSpansOfTraces, type SpansOfTrace, spansOfTrace } from '../traces/trace-spans.ts';
import { hasEntityOf, hasSpanFor, type JaegerSearch } from './matches-search.ts';
import { pushDownSearch } from './search-pushdown.ts';

export type JaegerDependency = { readonly parent: string; readonly child: string; readonly callCount: number };

/** Names of all services that sent a segment, or a span that is one in X-Ray; sorted. */
export async function jaegerServices(store: Store, options: QueryOptions): Promise<readonly string[]> {
  const statement = sql`SELECT DISTINCT name FROM entities WHERE is_segment ORDER BY name`;
  return (await store.query<{ name: string }>(statement, options)).map(({ name }) => name);
}

/** A search ends with the trace that reaches this number of spans: all of them are one response. */
const MAX_SPANS = 100_000;

/**
 * Newest first, up to `limit` and about MAX_SPANS spans. A trace is found if an entity has the name of the service and
 * one of its spans matches.
 */
export async function searchJaegerTraces(
  store: Store,
  search: JaegerSearch,
  options: Partial<ScanOptions>,
): Promise<readonly JaegerTrace[]> {
  const { window, limit } = search;
  const prefilter = pushDownSearch(search, await lastSeqWithoutSpanTexts(store));
  const evaluate = (traceIds: readonly TraceId[]) => matchingTraces(store, search, traceIds, options);
  const traces: JaegerTrace[] = [];
  let spanCount = 0;
  const found = findInOrder(
    store,
    { window, timeRangeType: 'TraceId', prefilter },
    { order: NEWEST_FIRST, evaluate },
    {
      sortInMemoryMax: SORT_IN_MEMORY_MAX,
      batchSize: Math.max(MIN_BATCH, Math.min(limit, MAX_BATCH)),
      ...options,
    },
  );
  for await (const { trace } of found) {
    traces.push(trace);
    spanCount += trace.spans.length;
    if (traces.length === limit || spanCount >= MAX_SPANS) break;
  }
  return traces;
}

const NEWEST_FIRST: ListOrder = { by: 'start', isDescending: true };
/** A service of more traces is scanned: its names alone would take longer to read than the newest traces. */
const SORT_IN_MEMORY_MAX = 500;
/** Some candidates do not match: fewer at once take more queries. */
const MIN_BATCH = 20;
/** Traces that are held at once. */
const MAX_BATCH = 200;

type FoundJaegerTrace = { readonly trace: JaegerTrace; readonly sortKey: SortKey };

async function matchingTraces(
  store: Store,
  search: JaegerSearch,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<readonly FoundJaegerTrace[]> {
  const found: FoundJaegerTrace[] = [];
  for await (const { traces, exceeding } of assembledGroups(store, traceIds, options)) {
    for (const { trace: assembled, documents } of traces) {
      const { id } = assembled;
      const firstPart = exceeding.get(id);
      if (!hasEntityOf(search.service, assembled)) continue;
      // The first part of a trace may start later than the trace.
      const whole = firstPart && (await subjectFromRows(store, id, firstPart, options)).trace;
      const { startUs } = whole ?? assembled;
      if (!contains(search.window, startUs)) continue;
      const trace = jaegerTraceOf(spansOfTrace(assembled, documents, firstPart));
      if (!hasSpanFor(search, assembled, trace)) continue;
      found.push({ trace, sortKey: { part: 'valued', key: startUs, traceId: id } });
    }
  }
  return found;
}

/** In the order of `traceIds`; unknown ids are left out. */
export async function loadJaegerTraces(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<readonly JaegerTrace[]> {
  return (await loadSpansOfTraces(store, traceIds, options)).map(jaegerTraceOf);
}

export function jaegerTraceOf({ traceId, spans, records, firstPart }: SpansOfTrace): JaegerTrace {
  const trace = jaegerTrace(
    traceId,
    spans,
    records.map(({ record }) => record),
  );
  if (firstPart === undefined) return trace;
  const { documents } = firstPart.whole;
  return { ...trace, warnings: [`the trace is too large: these are the first of ${documents} documents`] };
}

/**
 * Number of calls between services, by name. Unlike Jaeger, it also includes called services that send no spans. A
 * Lambda function, which X-Ray shows as two nodes, does not call itself.
 */
export async function jaegerDependencies(
  store: Store,
  window: TimeInterval,
  options: QueryOptions,
): Promise<readonly JaegerDependency[]> {
  const { nodes, edges } = await serviceGraphOf(store, { window, filter: undefined, hasHistograms: false }, options);
  const dependencies = new Map<string, JaegerDependency>();
  for (const { from, to, type, statistics } of edges.values()) {
    const [parent, child] = [nodes.get(from), nodes.get(to)];
    if (parent === undefined || child === undefined || parent.clientCount > 0 || type === 'link') continue;
    if (parent.service.name === child.service.name && from !== to) continue;
    const key = JSON.stringify([parent.service.name, child.service.name]);
    const callCount = statistics.totalCount + (dependencies.get(key)?.callCount ?? 0);
    dependencies.set(key, { parent: parent.service.name, child: child.service.name, callCount });
  }
  return Array.from(dependencies)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, dependency]) => dependency);
}
