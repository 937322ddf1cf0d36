import { OpenrayError } from '../errors.ts';
import type { Filter } from '../filter/ast.ts';
import { matches } from '../filter/matches.ts';
import { subjectOf } from '../filter/subject.ts';
import { endingIn, type TraceGraph } from '../model/graph.ts';
import {
  addGraph,
  addTrace,
  newServiceGraph,
  type ServiceGraph,
  type ServiceGraphBuilder,
  type Sign,
  withoutZeros,
} from '../model/service-graph.ts';
import type { TraceId } from '../model/trace-id.ts';
import { type Sql, sql } from '../store/sql.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { narrowFilter } from './filter-narrow.ts';
import { loadTraces } from './load-traces.ts';
import { readMapSums } from './map-sums.ts';
import { narrowSql } from './narrow.ts';
import { endingWithin, MINUTE_US, type Span } from './periods.ts';
import { changesOf, type TraceChange } from './trace-changes.ts';
import type { TimeWindow } from './window.ts';

const BATCH = 100;
/** A map that has to look at each trace of its window is given up after this. */
const MAX_MS = 30_000;

/**
 * Everything that ended in the window, of traces that match, added up. A request counts in the moment in which it
 * ended, so that the graphs of two adjacent windows add up to the graph of both.
 *
 * Without a filter it costs what the services are, however many traces: sums of whole periods, what has arrived since
 * they were made, and the traces that end in the rest of a minute at either side. With one, each trace of the window is
 * looked at. Throws QueryTimeout when that takes too long.
 */
export async function serviceGraphOf(
  store: Store,
  { window, filter }: { readonly window: TimeWindow; readonly filter: Filter | undefined },
  options: QueryOptions = {},
): Promise<ServiceGraph> {
  const graph = newServiceGraph();
  if (filter === undefined && window.toUs - window.fromUs >= 2 * MINUTE_US) {
    await addSums(graph, store, window, options);
    return withoutZeros(graph);
  }
  for await (const traces of tracesEndingIn(store, window, filter, options)) {
    for (const trace of traces) addTrace(graph, endingIn(trace, window));
  }
  return withoutZeros(graph);
}

/** Sums of whole minutes about as long as the window, and what of single traces has to be added or taken away. */
async function addSums(
  graph: ServiceGraphBuilder,
  store: Store,
  window: TimeWindow,
  options: QueryOptions,
): Promise<void> {
  const [left, right] = await Promise.all([
    chooseEdge(store, { fromUs: window.fromUs, inside: 'after' }, options),
    chooseEdge(store, { fromUs: window.toUs, inside: 'before' }, options),
  ]);
  const span: Span = { afterUs: left.minuteUs, lastUs: right.minuteUs };
  const sums = await readMapSums(store, span, options);
  addGraph(graph, sums.graph);
  const edges = [left, right];
  const traceIds = await store.query<{ trace_id: TraceId }>(touchedSql(sums.countedSeq, span, edges), options);
  const ids = traceIds.map((row) => row.trace_id);
  for await (const changes of changesOf(store, ids, { fromSeq: sums.countedSeq }, options)) {
    for (const change of changes) addChange(graph, change, span, edges);
  }
}

/**
 * The part of a minute between the window's bound and the minute that the sums are taken to: added where the sums end
 * inside the window, taken away where they go beyond.
 */
type Edge = { readonly minuteUs: number; readonly rest: Span; readonly sign: Sign };

/** Of the two minutes around a bound the one where less has to be looked at. */
async function chooseEdge(
  store: Store,
  { fromUs, inside }: { readonly fromUs: number; readonly inside: 'before' | 'after' },
  options: QueryOptions,
): Promise<Edge> {
  // A window begins with its first microsecond and ends before its last; a span is the other way round.
  const boundUs = fromUs - 1;
  const minuteBeforeUs = Math.floor(boundUs / MINUTE_US) * MINUTE_US;
  const before: Span = { afterUs: minuteBeforeUs, lastUs: boundUs };
  const after: Span = { afterUs: boundUs, lastUs: minuteBeforeUs + MINUTE_US };
  const rows = await store.query<{ before: number; after: number }>(
    sql`
      SELECT countIf(end_us <= ${boundUs}) AS before, countIf(end_us > ${boundUs}) AS after FROM entities
      WHERE end_us > ${before.afterUs} AND end_us <= ${after.lastUs}`,
    options,
  );
  const counts = rows[0] ?? { before: 0, after: 0 };
  if (counts.before <= counts.after) {
    return { minuteUs: before.afterUs, rest: before, sign: inside === 'before' ? 1 : -1 };
  }
  return { minuteUs: after.lastUs, rest: after, sign: inside === 'after' ? 1 : -1 };
}

/** Traces of which the sums do not know all, or that ended in the rest of a minute. */
function touchedSql(countedSeq: number, span: Span, edges: readonly Edge[]): Sql {
  const changed = sql`trace_id IN (SELECT trace_id FROM documents WHERE seq > ${countedSeq})`;
  const touched = [
    sql`${endedWithin(span)} AND ${changed}`,
    ...edges.filter(({ rest }) => rest.afterUs < rest.lastUs).map(({ rest }) => endedWithin(rest)),
  ];
  const ids = touched.map((where) => sql`SELECT trace_id FROM entities WHERE ${where}`);
  return sql`
    SELECT lower(hex(trace)) AS trace_id
    FROM (SELECT DISTINCT trace_id AS trace FROM (${sql.join(ids, sql` UNION ALL `)}))`;
}

const endedWithin = ({ afterUs, lastUs }: Span): Sql => sql`end_us > ${afterUs} AND end_us <= ${lastUs}`;

function addChange(
  graph: ServiceGraphBuilder,
  { before, after }: TraceChange,
  span: Span,
  edges: readonly Edge[],
): void {
  if (before !== after) {
    addTrace(graph, endingWithin(after, span), 1);
    addTrace(graph, endingWithin(before, span), -1);
  }
  for (const { rest, sign } of edges) addTrace(graph, endingWithin(after, rest), sign);
}

/** Graphs of the traces that match and of which something ended in the window, some hundred at a time, in no order. */
async function* tracesEndingIn(
  store: Store,
  window: TimeWindow,
  filter: Filter | undefined,
  options: QueryOptions,
): AsyncGenerator<readonly TraceGraph[]> {
  const deadline = performance.now() + (options.timeoutMs ?? MAX_MS);
  const rows = await store.query<{ trace_id: TraceId }>(endedTracesSql(window, filter), options);
  for (let first = 0; first < rows.length; first += BATCH) {
    if (performance.now() > deadline) {
      throw new OpenrayError(
        'QueryTimeout',
        'The map of so many traces took longer than it may; ask for a smaller window',
      );
    }
    const ids = rows.slice(first, first + BATCH).map((row) => row.trace_id);
    const subjects = (await loadTraces(store, ids, options)).map(subjectOf);
    yield subjects.filter((subject) => filter === undefined || matches(filter, subject)).map(({ graph }) => graph);
  }
}

/** Traces in which anything ended in the window, each once, in no order. */
function endedTracesSql(window: TimeWindow, filter: Filter | undefined): Sql {
  const narrow = filter && narrowFilter(filter.condition);
  const where = sql.and([
    sql`end_us >= ${window.fromUs} AND end_us < ${window.toUs}`,
    ...(narrow ? [narrowSql(narrow, sql`true`)] : []),
  ]);
  return sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities WHERE ${where}`;
}
