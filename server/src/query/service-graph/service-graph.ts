import type { Filter } from '../../filter/ast.ts';
import { graphEndedIn } from '../../model/graph.ts';
import {
  addTrace,
  newServiceGraph,
  type ServiceGraph,
  type ServiceGraphBuilder,
  withoutZeros,
} from '../../model/service-graph.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import { endedIn } from '../traces/sort-key.ts';
import { tracesEndingIn } from './ended-traces.ts';
import { linkGraphs } from './link-graphs.ts';
import { MINUTE_US, type Span } from './periods.ts';
import { readRolledUpGraph } from './roll-up-tables.ts';
import { changesOf, consumersOf, type TraceChange } from './trace-changes.ts';
import { addContribution, addContributionByMinute } from './trace-contribution.ts';

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
  if (filter === undefined && window.toUs - window.fromUs >= 2 * MINUTE_US) {
    return withoutZeros(await graphFromRollUps(store, window, options));
  }
  const graph = newServiceGraph();
  for await (const traces of tracesEndingIn(store, window, filter, options)) {
    for (const trace of traces) addTrace(graph, graphEndedIn(traceGraph(trace), window));
    const links = await linkGraphs(store, traces, (segment) => endedIn(window, segment), options);
    for (const link of links) addTrace(graph, link);
  }
  return withoutZeros(graph);
}

/** Sums of whole minutes about as long as the window, and what of single traces has to be added or taken away. */
async function graphFromRollUps(store: Store, window: TimeWindow, options: QueryOptions): Promise<ServiceGraphBuilder> {
  const [left, right] = await Promise.all([
    choosePartialMinute(store, { atUs: window.fromUs, side: 'left' }, options),
    choosePartialMinute(store, { atUs: window.toUs, side: 'right' }, options),
  ]);
  const span: Span = {
    afterUs: left.isRolledUp ? left.minute.afterUs : left.minute.lastUs,
    lastUs: right.isRolledUp ? right.minute.lastUs : right.minute.afterUs,
  };
  const { graph, rollUpWatermark: countedSeq } = await readRolledUpGraph(store, span, options);
  const edges = [left, right];
  const traceIds = await affectedTraces(store, { countedSeq, span, edges }, options);
  const range = { fromSeq: countedSeq, toSeq: Number.POSITIVE_INFINITY };
  for await (const changes of changesOf(store, traceIds, range, options)) {
    for (const change of changes) addTraceChange(graph, change, span, edges);
  }
  return graph;
}

/**
 * A bound of the window inside a minute. Where the sums leave that minute out, its part in the window (`inside`) is
 * added; where they hold it, the traces that ended in its `outside` part are looked at.
 */
type PartialMinute = {
  readonly minute: Span;
  readonly inside: Span;
  readonly outside: Span;
  readonly isRolledUp: boolean;
};

/** Decides by what there is less of to look at. */
async function choosePartialMinute(
  store: Store,
  { atUs, side }: { readonly atUs: number; readonly side: 'left' | 'right' },
  options: QueryOptions,
): Promise<PartialMinute> {
  // A window begins with its first microsecond and ends before its last; a span is the other way round.
  const boundUs = atUs - 1;
  const afterUs = Math.floor(boundUs / MINUTE_US) * MINUTE_US;
  const minute: Span = { afterUs, lastUs: afterUs + MINUTE_US };
  const before: Span = { afterUs, lastUs: boundUs };
  const after: Span = { afterUs: boundUs, lastUs: minute.lastUs };
  const [inside, outside] = side === 'left' ? [after, before] : [before, after];
  const rows = await store.query<{ inside: number; outside: number }>(
    sql`
      SELECT countIf(${endedWithin(inside)}) AS inside, countIf(${endedWithin(outside)}) AS outside FROM entities
      WHERE ${endedWithin(minute)}`,
    options,
  );
  const counts = rows[0] ?? { inside: 0, outside: 0 };
  return { minute, inside, outside, isRolledUp: counts.outside < counts.inside };
}

/** Traces of which the sums do not know all, or of whose producers, and those that ended in the rest of a minute. */
async function affectedTraces(
  store: Store,
  {
    countedSeq,
    span,
    edges,
  }: { readonly countedSeq: number; readonly span: Span; readonly edges: readonly PartialMinute[] },
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const changed = await store.query<{ trace_id: TraceId }>(
    sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM documents WHERE seq > ${countedSeq}`,
    options,
  );
  const takers = await consumersOf(
    store,
    changed.map((row) => row.trace_id),
    endedWithin(span),
    options,
  );
  const rests = edges.map((edge) => endedWithin(edge.isRolledUp ? edge.outside : edge.inside));
  const touched = [
    sql`${endedWithin(span)} AND trace_id IN (SELECT trace_id FROM documents WHERE seq > ${countedSeq})`,
    ...rests,
  ];
  const ids = sql.join(
    touched.map((where) => sql`SELECT trace_id FROM entities WHERE ${where}`),
    sql` UNION ALL `,
  );
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`SELECT lower(hex(trace)) AS trace_id FROM (SELECT DISTINCT trace_id AS trace FROM (${ids}))`,
    options,
  );
  return [...new Set([...rows.map((row) => row.trace_id), ...takers])];
}

const endedWithin = ({ afterUs, lastUs }: Span): Sql => sql`end_us > ${afterUs} AND end_us <= ${lastUs}`;

function addTraceChange(
  graph: ServiceGraphBuilder,
  { before, after }: TraceChange,
  span: Span,
  edges: readonly PartialMinute[],
): void {
  if (before !== after) {
    addContributionByMinute(graph, after, span, 1);
    addContributionByMinute(graph, before, span, -1);
  }
  for (const { minute, inside, isRolledUp: isInSums } of edges) {
    if (isInSums) addContributionByMinute(graph, after, minute, -1);
    addContribution(graph, after, inside);
  }
}
