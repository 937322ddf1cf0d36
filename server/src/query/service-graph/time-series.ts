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
import { contains, isEmpty, type TimeInterval } from '../../model/time-interval.ts';
import { traceGraph } from '../../model/trace-graph.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { knownChangedTraces } from './changed-traces.ts';
import { tracesEndingIn } from './ended-traces.ts';
import { periodContaining, periodEnd } from './periods.ts';
import {
  type RolledUpSeries,
  readRolledUpSeries,
  readServiceGraphKeys,
  type ServiceGraphKey,
} from './roll-up-tables.ts';
import { changesOf } from './trace-changes.ts';

/** Statistics of the requests and calls that ended in (endUs - period, endUs]. */
export type SeriesPoint = {
  readonly endUs: number;
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
};

export type SeriesQuery = {
  readonly window: TimeInterval;
  /** A multiple of a minute. */
  readonly periodUs: number;
  /** Undefined: all calls that clients make. */
  readonly selector: EntitySelector | undefined;
  /** Only traces that match are counted. */
  readonly filter?: Filter | undefined;
};

/**
 * Points whose end lies in the window, newest first; a period without requests has no point. Reads the roll-up of the
 * service graph, and the documents that arrived after it. With a filter it loads each trace of the window, and throws
 * QueryTimeout when that takes too long.
 */
export async function serviceTimeSeries(
  store: Store,
  { window, periodUs, selector, filter }: SeriesQuery,
  options: QueryOptions = {},
): Promise<readonly SeriesPoint[]> {
  const interval: TimeInterval = {
    fromUs: periodContaining(window.fromUs, periodUs).fromUs,
    toUs: periodContaining(window.toUs, periodUs).fromUs,
  };
  if (isEmpty(interval)) return [];
  const points =
    filter === undefined
      ? await pointsFromRollUps(store, { interval, periodUs, selector }, options)
      : await pointsFromTraces(store, { interval, periodUs, selector, filter }, options);
  return [...points.values()].filter(({ statistics }) => statistics.totalCount > 0).sort((a, b) => b.endUs - a.endUs);
}

type SeriesIntervalQuery = Pick<SeriesQuery, 'periodUs' | 'selector'> & { readonly interval: TimeInterval };

async function pointsFromTraces(
  store: Store,
  { interval, periodUs, selector, filter }: SeriesIntervalQuery & { readonly filter: Filter },
  options: QueryOptions,
): Promise<Points> {
  const points: Points = new Map();
  for await (const traces of tracesEndingIn(store, interval, filter, options)) {
    for (const trace of traces) {
      addObservations(points, selectedObservations(traceGraph(trace), selector), { interval, periodUs, sign: 1 });
    }
  }
  return points;
}

async function pointsFromRollUps(
  store: Store,
  { interval, periodUs, selector }: SeriesIntervalQuery,
  options: QueryOptions,
): Promise<Points> {
  const known = knownChangedTraces(store);
  const sums = await readSelectedSeries(store, { interval, periodUs, selector }, options);
  const points: Points = new Map();
  for (const { endUs, statistics, responseTimes } of sums.points) {
    const point = pointIn(points, endUs);
    addStatistics(point.statistics, statistics, 1);
    addCounts(point.responseTimes, responseTimes, 1);
  }
  if (known?.traceIds.length === 0 && known.rollUpWatermark === sums.rollUpWatermark) return points;
  const changed = await store.query<{ trace_id: TraceId }>(changedTracesSql(sums.rollUpWatermark, interval), options);
  const traceIds = changed.map((row) => row.trace_id);
  const range = { fromSeq: sums.rollUpWatermark, toSeq: Number.POSITIVE_INFINITY };
  for await (const changes of changesOf(store, traceIds, range, { ...options, canSkip: () => true })) {
    for (const { before, after } of changes) {
      addObservations(points, selectedObservations(after.contribution.graph, selector), {
        interval,
        periodUs,
        sign: 1,
      });
      addObservations(points, selectedObservations(before.contribution.graph, selector), {
        interval,
        periodUs,
        sign: -1,
      });
    }
  }
  return points;
}

/**
 * Reads again when the watermark moved between the keys and their sums, since a new service may have been rolled up.
 */
async function readSelectedSeries(
  store: Store,
  { interval, periodUs, selector }: SeriesIntervalQuery,
  options: QueryOptions,
): Promise<RolledUpSeries> {
  for (;;) {
    const known = await readServiceGraphKeys(store, interval, options);
    const keys = known.keys.filter((key) => isSelected(key, selector));
    const sums = await readRolledUpSeries(store, { interval, periodUs, keys }, options);
    if (sums.rollUpWatermark === known.rollUpWatermark) return sums;
  }
}

type SeriesPointBuilder = {
  readonly endUs: number;
  readonly statistics: StatisticsBuilder;
  readonly responseTimes: HistogramBuilder;
};

/** By the end of the period. */
type Points = Map<number, SeriesPointBuilder>;

function pointIn(points: Points, endUs: number): SeriesPointBuilder {
  const point = points.get(endUs) ?? { endUs, statistics: newStatistics(), responseTimes: new Map() };
  points.set(endUs, point);
  return point;
}

function addObservations(
  points: Points,
  observations: readonly Observation[],
  { interval, periodUs, sign }: { readonly interval: TimeInterval; readonly periodUs: number; readonly sign: Sign },
): void {
  for (const observation of observations) {
    const endUs = observation.startUs + observation.durationUs;
    if (!contains(interval, endUs)) continue;
    const point = pointIn(points, periodEnd(endUs, periodUs));
    addObservation(point.statistics, observation, sign);
    addDuration(point.responseTimes, observation.durationUs, sign);
  }
}

/** Traces with documents after the watermark, and with an entity that ended in the interval. */
function changedTracesSql(rollUpWatermark: number, interval: TimeInterval) {
  return sql`
    SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities
    WHERE ${inIntervalSql(sql`end_us`, interval)}
      AND trace_id IN (SELECT trace_id FROM documents WHERE seq > ${rollUpWatermark})`;
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
