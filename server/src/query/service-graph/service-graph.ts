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
import { type ChangedTraces, changedTracesAfter, readChangedTraces } from './changed-traces.ts';
import { tracesEndingIn } from './ended-traces.ts';
import { linkGraphs } from './link-graphs.ts';
import { MINUTE_US, periodContaining } from './periods.ts';
import { readRolledUpGraph } from './roll-up-tables.ts';
import { changesOf, consumersOf, type TraceChange } from './trace-changes.ts';
import { addContribution, addContributionByMinute } from './trace-contribution.ts';

export type ServiceGraphQuery = {
  readonly window: TimeInterval;
  readonly filter: Filter | undefined;
  /** False if the caller reads only counts: histograms, aliases and ages may then be empty, and take no time. */
  readonly hasHistograms?: boolean;
};

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
  { window, filter, hasHistograms = true }: ServiceGraphQuery,
  options: QueryOptions = {},
): Promise<ServiceGraph> {
  if (filter === undefined && window.toUs - window.fromUs >= 2 * MINUTE_US) {
    return withoutZeros(await graphFromRollUps(store, { window, hasHistograms }, options));
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
  { window, hasHistograms }: { readonly window: TimeInterval; readonly hasHistograms: boolean },
  options: QueryOptions,
): Promise<ServiceGraphBuilder> {
  const known = await readChangedTraces(store, options);
  const partialMinutes = await choosePartialMinutes(store, window, options);
  const [left, right] = partialMinutes;
  const rolledUp: TimeInterval = {
    fromUs: left.isRolledUp ? left.minute.fromUs : left.minute.toUs,
    toUs: right.isRolledUp ? right.minute.toUs : right.minute.fromUs,
  };
  const [{ graph, rollUpWatermark }, knownAffected] = await Promise.all([
    readRolledUpGraph(store, { interval: rolledUp, hasHistograms }, options),
    affectedTraces(store, { changed: known, rolledUp, corrected: partialMinutes.filter(hasTraces) }, options),
  ]);
  const affected =
    rollUpWatermark === known.rollUpWatermark
      ? knownAffected
      : await affectedTracesAfter(store, { rollUpWatermark, rolledUp, corrected: partialMinutes }, options);
  const canSkip = (id: TraceId) => affected.get(id) === 'changed';
  const range = { fromSeq: rollUpWatermark, toSeq: Number.POSITIVE_INFINITY };
  for await (const changes of changesOf(store, [...affected.keys()], range, { ...options, canSkip })) {
    for (const change of changes) addTraceChange(graph, change, rolledUp, partialMinutes);
  }
  if (!hasHistograms) clearHistograms(graph);
  return graph;
}

/** Those of the changes: the graph has no others. */
function clearHistograms({ nodes, edges }: ServiceGraphBuilder): void {
  for (const { responseTimes, durations } of nodes.values()) {
    responseTimes.clear();
    durations.clear();
  }
  for (const edge of edges.values()) {
    edge.responseTimes.clear();
    edge.aliases = new Map();
    edge.eventAges = new Map();
  }
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
  /** Entities that ended on the side that has to be corrected, when the sides were compared. */
  readonly rows: number;
};

const hasTraces = ({ rows }: PartialMinute): boolean => rows > 0;

/** Picks the side with fewer rows. */
async function choosePartialMinutes(
  store: Store,
  { fromUs, toUs }: TimeInterval,
  options: QueryOptions,
): Promise<readonly [PartialMinute, PartialMinute]> {
  const [leftMinute, rightMinute] = [periodContaining(fromUs, MINUTE_US), periodContaining(toUs, MINUTE_US)];
  const [outsideLeft, insideLeft] = splitBefore(leftMinute, fromUs);
  const [insideRight, outsideRight] = splitBefore(rightMinute, toUs);
  const [row] = await store.query<Record<'inside_left' | 'outside_left' | 'inside_right' | 'outside_right', number>>(
    sql`
      SELECT countIf(${endedInSql(insideLeft)}) AS inside_left, countIf(${endedInSql(outsideLeft)}) AS outside_left,
        countIf(${endedInSql(insideRight)}) AS inside_right, countIf(${endedInSql(outsideRight)}) AS outside_right
      FROM entities WHERE ${sql.or([endedInSql(leftMinute), endedInSql(rightMinute)])}`,
    options,
  );
  const sideOf = (minute: TimeInterval, inside: TimeInterval, outside: TimeInterval, rows: readonly number[]) => {
    const [insideRows = 0, outsideRows = 0] = rows;
    const isRolledUp = outsideRows < insideRows;
    return { minute, inside, outside, isRolledUp, rows: isRolledUp ? outsideRows : insideRows };
  };
  return [
    sideOf(leftMinute, insideLeft, outsideLeft, row ? [row.inside_left, row.outside_left] : []),
    sideOf(rightMinute, insideRight, outsideRight, row ? [row.inside_right, row.outside_right] : []),
  ];
}

type AffectedQuery = {
  readonly rolledUp: TimeInterval;
  /** Minutes with traces to correct. */
  readonly corrected: readonly PartialMinute[];
};

/** As `affectedTraces`, for the watermark of a graph that was read before. */
async function affectedTracesAfter(
  store: Store,
  { rollUpWatermark, ...query }: AffectedQuery & { readonly rollUpWatermark: number },
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, 'changed' | 'other'>> {
  const changed = await changedTracesAfter(store, rollUpWatermark, options);
  return affectedTraces(store, { ...query, changed }, options);
}

/**
 * Traces with documents after the watermark, the consumers of their messages, and traces that ended in a partial
 * minute. `changed`: only documents of the trace itself can make a difference. They are exact for a graph of the same
 * watermark: what is rolled up later raises it.
 */
async function affectedTraces(
  store: Store,
  { changed, rolledUp, corrected }: AffectedQuery & { readonly changed: ChangedTraces },
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, 'changed' | 'other'>> {
  const isAfterWatermark = sql`trace_id IN (SELECT trace_id FROM documents WHERE seq > ${changed.rollUpWatermark})`;
  const parts = [
    ...(changed.traceIds.length > 0
      ? [{ reason: 0, where: sql`${endedInSql(rolledUp)} AND ${isAfterWatermark}` }]
      : []),
    ...corrected.map(({ isRolledUp, inside, outside }) => ({
      reason: 1,
      where: endedInSql(isRolledUp ? outside : inside),
    })),
  ];
  const ids = sql.join(
    parts.map(({ reason, where }) => sql`SELECT trace_id, ${reason} AS reason FROM entities WHERE ${where}`),
    sql` UNION ALL `,
  );
  const statement = sql`
    SELECT lower(hex(trace)) AS trace_id, reason
    FROM (SELECT trace_id AS trace, max(reason) AS reason FROM (${ids}) GROUP BY trace)`;
  const [consumers, rows] = await Promise.all([
    consumersOf(store, changed.traceIds, endedInSql(rolledUp), options),
    parts.length === 0 ? [] : store.query<{ trace_id: TraceId; reason: number }>(statement, options),
  ]);
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
