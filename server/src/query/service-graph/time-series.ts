import type { Filter } from '../../filter/ast.ts';
import { type EntitySelector, selectsEdge, selectsNode } from '../../filter/entity-selector.ts';
import type { Observation, TraceGraph } from '../../model/graph.ts';
import { addCounts, addDuration, type Histogram, type HistogramBuilder } from '../../model/histogram.ts';
import {
  addObservation,
  addStatistics,
  newStatistics,
  type Sign,
  type Statistics,
  type StatisticsBuilder,
} from '../../model/service-graph.ts';
import { serviceOfKey } from '../../model/service-names.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';
import { tracesEndingIn } from './ended-traces.ts';
import { periodEnd, type Span } from './periods.ts';
import {
  type RolledUpSeries,
  readRolledUpSeries,
  readServiceGraphKeys,
  type ServiceGraphKey,
} from './roll-up-tables.ts';
import { changesOf } from './trace-changes.ts';

/** What ended in (endUs - period, endUs]. */
export type SeriesPoint = {
  readonly endUs: number;
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
};

export type SeriesQuery = {
  readonly window: TimeWindow;
  /** A multiple of a minute. */
  readonly periodUs: number;
  /** Without one: all calls that clients make. */
  readonly selector: EntitySelector | undefined;
  /** Only traces that match are counted. */
  readonly filter?: Filter | undefined;
};

/**
 * Points whose end lies in the window, newest first; a period in which nothing ended has none. From the sums that the
 * service map is made of, and what has arrived since they were made. With a filter each trace of the window is looked at;
 * throws QueryTimeout when that takes too long.
 */
export async function serviceTimeSeries(
  store: Store,
  { window, periodUs, selector, filter }: SeriesQuery,
  options: QueryOptions = {},
): Promise<readonly SeriesPoint[]> {
  const span: Span = {
    afterUs: periodEnd(window.fromUs, periodUs) - periodUs,
    lastUs: periodEnd(window.toUs, periodUs) - periodUs,
  };
  if (span.afterUs >= span.lastUs) return [];
  const points =
    filter === undefined
      ? await pointsFromRollUps(store, { span, periodUs, selector }, options)
      : await pointsFromTraces(store, { span, periodUs, selector, filter }, options);
  return [...points.values()].filter(({ statistics }) => statistics.totalCount > 0).sort((a, b) => b.endUs - a.endUs);
}

type SeriesIntervalQuery = Pick<SeriesQuery, 'periodUs' | 'selector'> & { readonly span: Span };

async function pointsFromTraces(
  store: Store,
  { span, periodUs, selector, filter }: SeriesIntervalQuery & { readonly filter: Filter },
  options: QueryOptions,
): Promise<Points> {
  const points: Points = new Map();
  // A span begins behind its first microsecond and ends with its last; a window is the other way round.
  const window = { fromUs: span.afterUs + 1, toUs: span.lastUs + 1 };
  for await (const traces of tracesEndingIn(store, window, filter, options)) {
    for (const trace of traces) {
      addObservations(points, selectedObservations(traceGraph(trace), selector), { span, periodUs, sign: 1 });
    }
  }
  return points;
}

async function pointsFromRollUps(
  store: Store,
  { span, periodUs, selector }: SeriesIntervalQuery,
  options: QueryOptions,
): Promise<Points> {
  const sums = await readSelectedSeries(store, { span, periodUs, selector }, options);
  const points: Points = new Map();
  for (const { endUs, statistics, responseTimes } of sums.points) {
    const point = pointIn(points, endUs);
    addStatistics(point.statistics, statistics, 1);
    addCounts(point.responseTimes, responseTimes, 1);
  }
  const changed = await store.query<{ trace_id: TraceId }>(changedTracesSql(sums.rollUpWatermark, span), options);
  const traceIds = changed.map((row) => row.trace_id);
  const range = { fromSeq: sums.rollUpWatermark, toSeq: Number.POSITIVE_INFINITY };
  for await (const changes of changesOf(store, traceIds, range, options)) {
    for (const { before, after } of changes) {
      addObservations(points, selectedObservations(after.graph, selector), { span, periodUs, sign: 1 });
      addObservations(points, selectedObservations(before.graph, selector), { span, periodUs, sign: -1 });
    }
  }
  return points;
}

/** Reads again when more has been counted between the keys and their sums: it may be of a service that is new. */
async function readSelectedSeries(
  store: Store,
  { span, periodUs, selector }: SeriesIntervalQuery,
  options: QueryOptions,
): Promise<RolledUpSeries> {
  for (;;) {
    const known = await readServiceGraphKeys(store, span, options);
    const keys = known.keys.filter((key) => isSelected(key, selector));
    const sums = await readRolledUpSeries(store, { span, periodUs, keys }, options);
    if (sums.rollUpWatermark === known.countedSeq) return sums;
  }
}

type SeriesPointBuilder = {
  readonly endUs: number;
  readonly statistics: StatisticsBuilder;
  readonly responseTimes: HistogramBuilder;
};

/** By their ends. */
type Points = Map<number, SeriesPointBuilder>;

function pointIn(points: Points, endUs: number): SeriesPointBuilder {
  const point = points.get(endUs) ?? { endUs, statistics: newStatistics(), responseTimes: new Map() };
  points.set(endUs, point);
  return point;
}

function addObservations(
  points: Points,
  observations: readonly Observation[],
  { span, periodUs, sign }: { readonly span: Span; readonly periodUs: number; readonly sign: Sign },
): void {
  for (const observation of observations) {
    const endUs = observation.startUs + observation.durationUs;
    if (endUs <= span.afterUs || endUs > span.lastUs) continue;
    const point = pointIn(points, periodEnd(endUs, periodUs));
    addObservation(point.statistics, observation, sign);
    addDuration(point.responseTimes, observation.durationUs, sign);
  }
}

/** Traces of which the sums do not know all and of which something ended in the span. */
function changedTracesSql(countedSeq: number, { afterUs, lastUs }: Span) {
  return sql`
    SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities
    WHERE end_us > ${afterUs} AND end_us <= ${lastUs}
      AND trace_id IN (SELECT trace_id FROM documents WHERE seq > ${countedSeq})`;
}

function selectedObservations(
  { nodes, edges }: TraceGraph,
  selector: EntitySelector | undefined,
): readonly Observation[] {
  return [
    ...nodes.filter(({ key }) => isSelected({ from: undefined, key }, selector)).flatMap(({ responses }) => responses),
    ...edges.filter(({ from, to }) => isSelected({ from, key: to }, selector)).flatMap(({ calls }) => calls),
  ];
}

function isSelected({ from, key }: ServiceGraphKey, selector: EntitySelector | undefined): boolean {
  if (from === undefined) return selector !== undefined && selectsNode(selector, serviceOfKey(key));
  if (selector === undefined) return serviceOfKey(from).type === 'client';
  return selectsEdge(selector, serviceOfKey(from), serviceOfKey(key));
}
