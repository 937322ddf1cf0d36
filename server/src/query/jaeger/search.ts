import type { Filter } from '../../filter/ast.ts';
import { type JaegerSpan, type JaegerTrace, jaegerTrace } from '../../model/jaeger.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { serviceGraphOf } from '../service-graph/service-graph.ts';
import { findTraceSpans, loadTraceSpans, type SpansOfTrace } from '../traces/trace-spans.ts';

/** One span of a trace must match all conditions. Durations and times are whole microseconds. */
export type JaegerSearch = {
  readonly window: TimeInterval;
  readonly service: string;
  readonly operation: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly minDurationUs: number | undefined;
  readonly maxDurationUs: number | undefined;
  readonly limit: number;
};

export type JaegerDependency = { readonly parent: string; readonly child: string; readonly callCount: number };

/** Names of all services that sent a segment, or a span that is one in X-Ray; sorted. */
export async function jaegerServices(store: Store, options: QueryOptions): Promise<readonly string[]> {
  const statement = sql`SELECT DISTINCT name FROM entities WHERE is_segment ORDER BY name`;
  return (await store.query<{ name: string }>(statement, options)).map(({ name }) => name);
}

/** A search ends with the trace that reaches this number of spans: all of them are one response. */
const MAX_SPANS = 100_000;

/** Newest first, up to `limit` and about MAX_SPANS spans. */
export async function searchJaegerTraces(
  store: Store,
  search: JaegerSearch,
  options: QueryOptions,
): Promise<readonly JaegerTrace[]> {
  const found: JaegerTrace[] = [];
  let spanCount = 0;
  for await (const spans of findTraceSpans(store, traceQueryOf(search.service, search.window), options)) {
    const trace = jaegerTraceOf(spans);
    if (!trace.spans.some((span) => matchesSearch(span, trace, search))) continue;
    found.push(trace);
    spanCount += trace.spans.length;
    if (found.length === search.limit || spanCount >= MAX_SPANS) break;
  }
  return found;
}

/** In the order of `traceIds`; unknown ids are left out. */
export async function loadJaegerTraces(
  store: Store,
  traceIds: readonly TraceId[],
  options: QueryOptions,
): Promise<readonly JaegerTrace[]> {
  const traces: JaegerTrace[] = [];
  for await (const spans of loadTraceSpans(store, traceIds, options)) traces.push(jaegerTraceOf(spans));
  return traces;
}

function jaegerTraceOf({ traceId, spans, records, firstPart }: SpansOfTrace): JaegerTrace {
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
  const { nodes, edges } = await serviceGraphOf(store, { window, filter: undefined }, options);
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

function traceQueryOf(service: string, window: TimeInterval) {
  return { window, timeRangeType: 'TraceId' as const, filter: serviceFilter(service) };
}

function serviceFilter(name: string): Filter {
  const range = { start: 0, end: 0 };
  const identity = { name, type: undefined, accountId: undefined, range };
  const condition = { kind: 'service' as const, service: identity, where: undefined, range };
  return { kind: 'filter', condition, order: undefined, range };
}

function matchesSearch(span: JaegerSpan, { processes }: JaegerTrace, search: JaegerSearch): boolean {
  const process = processes[span.processID];
  if (process?.serviceName !== search.service) return false;
  if (search.operation !== undefined && span.operationName !== search.operation) return false;
  if (span.duration < (search.minDurationUs ?? 0)) return false;
  if (span.duration > (search.maxDurationUs ?? Number.POSITIVE_INFINITY)) return false;
  const wanted = Object.entries(search.tags);
  if (wanted.length === 0) return true;
  const tags = [...span.tags, ...process.tags, ...span.logs.flatMap(({ fields }) => fields)];
  return wanted.every(([key, value]) => tags.some((tag) => tag.key === key && String(tag.value) === value));
}
