import type { Filter } from '../../filter/ast.ts';
import { graphEndedIn } from '../../model/graph.ts';
import {
  addTrace,
  newServiceGraph,
  type ServiceGraph,
  type ServiceGraphBuilder,
  withoutZeros,
} from '../../model/service-graph.ts';
import { endedIn, splitBefore, type TimeInterval } from '../../model/time-interval.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { tracesEndingIn } from './ended-traces.ts';
import { linkGraphs } from './link-graphs.ts';
import { MINUTE_US, periodContaining } from './periods.ts';
import { readRolledUpGraph } from './roll-up-tables.ts';
import { changesOf, consumersOf, type TraceChange } from './trace-changes.ts';
import { addContribution, addContributionByMinute } from './trace-contribution.ts';

/**
 * The service graph of all matching traces: the requests and calls that ended in the window. A request counts at the
 * moment of its end, so that the graphs of two adjacent windows add up to the graph of both.
 *
 * Without a filter the cost depends on the number of services and not of traces: it reads rolled-up periods, the
 * documents that arrived after the roll-up, and the traces that end in the partial minute at either end of the window.
 * With a filter it loads each trace of the window, and throws QueryTimeout when that takes too long.
 */
export async function serviceGraphOf(
  store: Store,
  { window, filter }: { readonly window: TimeInterval; readonly filter: Filter | undefined },
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

/** The roll-up of whole minutes that approximate the window, corrected by the traces for which it is not exact. */
async function graphFromRollUps(
  store: Store,
  window: TimeInterval,
  options: QueryOptions,
): Promise<ServiceGraphBuilder> {
  const [left, right] = await Promise.all([
    choosePartialMinute(store, { atUs: window.fromUs, side: 'left' }, options),
    choosePartialMinute(store, { atUs: window.toUs, side: 'right' }, options),
  ]);
  const rolledUp: TimeInterval = {
    fromUs: left.isRolledUp ? left.minute.fromUs : left.minute.toUs,
    toUs: right.isRolledUp ? right.minute.toUs : right.minute.fromUs,
  };
  const { graph, rollUpWatermark } = await readRolledUpGraph(store, rolledUp, options);
  const partialMinutes = [left, right];
  const affected = await affectedTraces(store, { rollUpWatermark, rolledUp, partialMinutes }, options);
  const canSkip = (id: TraceId) => affected.get(id) === 'changed';
  const range = { fromSeq: rollUpWatermark, toSeq: Number.POSITIVE_INFINITY };
  for await (const changes of changesOf(store, [...affected.keys()], range, { ...options, canSkip })) {
    for (const change of changes) addTraceChange(graph, change, rolledUp, partialMinutes);
  }
  return graph;
}

/**
 * A minute that a bound of the window cuts in two. When the roll-up that is read leaves the minute out, the traces that
 * ended `inside` the window are added; when it contains the minute, the traces that ended `outside` are subtracted.
 */
type PartialMinute = {
  readonly minute: TimeInterval;
  readonly inside: TimeInterval;
  readonly outside: TimeInterval;
  readonly isRolledUp: boolean;
};

/** Picks the side with fewer rows. */
async function choosePartialMinute(
  store: Store,
  { atUs, side }: { readonly atUs: number; readonly side: 'left' | 'right' },
  options: QueryOptions,
): Promise<PartialMinute> {
  const minute = periodContaining(atUs, MINUTE_US);
  const [before, after] = splitBefore(minute, atUs);
  const [inside, outside] = side === 'left' ? [after, before] : [before, after];
  const rows = await store.query<{ inside: number; outside: number }>(
    sql`
      SELECT countIf(${endedInSql(inside)}) AS inside, countIf(${endedInSql(outside)}) AS outside FROM entities
      WHERE ${endedInSql(minute)}`,
    options,
  );
  const counts = rows[0] ?? { inside: 0, outside: 0 };
  return { minute, inside, outside, isRolledUp: counts.outside < counts.inside };
}

/**
 * Traces with documents after the watermark, the consumers of their messages, and traces that ended in a partial
 * minute. `changed`: only documents of the trace itself can make a difference.
 */
async function affectedTraces(
  store: Store,
  {
    rollUpWatermark,
    rolledUp,
    partialMinutes,
  }: {
    readonly rollUpWatermark: number;
    readonly rolledUp: TimeInterval;
    readonly partialMinutes: readonly PartialMinute[];
  },
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, 'changed' | 'other'>> {
  const changed = await store.query<{ trace_id: TraceId }>(
    sql`SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM documents WHERE seq > ${rollUpWatermark}`,
    options,
  );
  const consumers = await consumersOf(
    store,
    changed.map((row) => row.trace_id),
    endedInSql(rolledUp),
    options,
  );
  const affected = [
    sql`${endedInSql(rolledUp)} AND trace_id IN (SELECT trace_id FROM documents WHERE seq > ${rollUpWatermark})`,
    ...partialMinutes.map(({ isRolledUp, inside, outside }) => endedInSql(isRolledUp ? outside : inside)),
  ];
  const ids = sql.join(
    affected.map((where, index) => sql`SELECT trace_id, ${index} AS reason FROM entities WHERE ${where}`),
    sql` UNION ALL `,
  );
  const rows = await store.query<{ trace_id: TraceId; reason: number }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id, reason
      FROM (SELECT trace_id AS trace, max(reason) AS reason FROM (${ids}) GROUP BY trace)`,
    options,
  );
  return new Map([
    ...rows.map((row) => [row.trace_id, row.reason === 0 ? ('changed' as const) : ('other' as const)] as const),
    ...consumers.map((id) => [id, 'other' as const] as const),
  ]);
}

const endedInSql = (interval: TimeInterval): Sql => inIntervalSql(sql`end_us`, interval);

function addTraceChange(
  graph: ServiceGraphBuilder,
  change: TraceChange,
  rolledUp: TimeInterval,
  partialMinutes: readonly PartialMinute[],
): void {
  const [before, after] = [change.before.contribution, change.after.contribution];
  if (before !== after) {
    addContributionByMinute(graph, after, rolledUp, 1);
    addContributionByMinute(graph, before, rolledUp, -1);
  }
  for (const { minute, inside, isRolledUp } of partialMinutes) {
    if (isRolledUp) addContributionByMinute(graph, after, minute, -1);
    addContribution(graph, after, inside);
  }
}
