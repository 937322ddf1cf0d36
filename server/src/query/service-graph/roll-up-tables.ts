import type { Histogram } from '../../model/histogram.ts';
import {
  newServiceGraph,
  type ServiceEdgeBuilder,
  type ServiceGraphBuilder,
  type ServiceNodeBuilder,
  type Statistics,
  type StatisticsBuilder,
} from '../../model/service-graph.ts';
import { serviceOfKey } from '../../model/service-names.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import { edgeKey } from '../../model/trace-graph.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import { coverByPeriods } from './periods.ts';

/** The rolled-up graph of an interval, which the caller may change, and the watermark at which it was read. */
export type RolledUpGraph = { readonly graph: ServiceGraphBuilder; readonly rollUpWatermark: number };

/** All documents through this `seq` are rolled up; 0 when there are none. */
export async function readRollUpWatermark(store: Store, options: QueryOptions = {}): Promise<number> {
  const rows = await store.query<{ watermark: number }>(
    sql`SELECT max(batch) AS watermark FROM service_map WHERE period_s = 0`,
    options,
  );
  return rows[0]?.watermark ?? 0;
}

/**
 * The graph of an interval of whole minutes. One statement sees all of a batch of documents, or none of it. Histograms,
 * aliases and ages take two thirds of its time: without `hasHistograms` they are empty.
 */
export async function readRolledUpGraph(
  store: Store,
  { interval, hasHistograms }: { readonly interval: TimeInterval; readonly hasHistograms: boolean },
  options: QueryOptions,
): Promise<RolledUpGraph> {
  const summed = (column: Sql) => (hasHistograms ? sumMapSql(column) : sql`([], [])`);
  const rows = await store.query<RolledUpRow>(
    sql`
      SELECT from_key, key, type, sum(traces) AS traces, sum(roots) AS roots, sum(clients) AS clients,
        sum(actives) AS actives, sum(passives) AS passives, sum(inferreds) AS inferreds, ${STATISTICS},
        min(first_us) AS first_us, max(last_us) AS last_us, ${summed(sql`responses`)} AS responses,
        ${summed(sql`durations`)} AS durations, ${summed(sql`aliases`)} AS aliases, ${summed(sql`ages`)} AS ages,
        max(batch) AS batch
      FROM service_map WHERE period_s = 0 OR ${inPeriodsSql(interval)}
      GROUP BY from_key, key, type`,
    options,
  );
  const { nodes, edges } = newServiceGraph();
  let rollUpWatermark = 0;
  for (const row of rows) {
    if (row.key === '') rollUpWatermark = row.batch;
    else if (row.from_key === '') nodes.set(row.key, nodeOf(row));
    else {
      const edge = edgeOf(row);
      edges.set(edgeKey(edge), edge);
    }
  }
  return { graph: { nodes, edges }, rollUpWatermark };
}

/** Statistics of some services or calls in each period of a series, and the watermark at which they were read. */
export type RolledUpSeries = {
  readonly points: readonly {
    readonly endUs: number;
    readonly statistics: Statistics;
    readonly responseTimes: Histogram;
  }[];
  readonly rollUpWatermark: number;
};

/** A service (`from` undefined), or the calls from one service to another; both by `nodeKey`. */
export type ServiceGraphKey = { readonly from: string | undefined; readonly key: string };

/** Services and calls that have a row in the interval. */
export async function readServiceGraphKeys(
  store: Store,
  interval: TimeInterval,
  options: QueryOptions,
): Promise<{ readonly keys: readonly ServiceGraphKey[]; readonly rollUpWatermark: number }> {
  const rows = await store.query<{ from_key: string; key: string; batch: number }>(
    sql`
      SELECT from_key, key, max(batch) AS batch FROM service_map WHERE period_s = 0 OR ${inPeriodsSql(interval)}
      GROUP BY from_key, key`,
    options,
  );
  const keys = rows.map((row) => ({ from: row.from_key === '' ? undefined : row.from_key, key: row.key }));
  const watermark = rows.find((row) => row.key === '');
  return { keys: keys.filter(({ key }) => key !== ''), rollUpWatermark: watermark?.batch ?? 0 };
}

/** Sums of `keys` in each period (a multiple of a minute) of an interval of whole periods. */
export async function readRolledUpSeries(
  store: Store,
  {
    interval,
    periodUs,
    keys,
  }: { readonly interval: TimeInterval; readonly periodUs: number; readonly keys: readonly ServiceGraphKey[] },
  options: QueryOptions,
): Promise<RolledUpSeries> {
  const wanted = sql.typed(keys.map(pairOf), 'Array(String)');
  const rows = await store.query<StatisticsRow & { end_us: number; responses: SummedMap<number>; batch: number }>(
    sql`
      SELECT intDiv(ends_us + ${periodUs - 1}, ${periodUs}) * ${periodUs} AS end_us, ${STATISTICS},
        ${sumMapSql(sql`responses`)} AS responses, max(batch) AS batch
      FROM service_map
      WHERE period_s = 0 OR (
        period_s = 60 AND ${inIntervalSql(sql`ends_us`, interval)} AND has(${wanted}, concat(from_key, '\\n', key))
      )
      GROUP BY end_us`,
    options,
  );
  return {
    points: rows
      .filter((row) => row.end_us > 0)
      .map((row) => ({ endUs: row.end_us, statistics: statisticsOf(row), responseTimes: countsOf(row.responses) })),
    rollUpWatermark: rows.find((row) => row.end_us === 0)?.batch ?? 0,
  };
}

const pairOf = ({ from, key }: ServiceGraphKey): string => `${from ?? ''}\n${key}`;

function inPeriodsSql(whole: TimeInterval): Sql {
  return sql.or(
    coverByPeriods(whole).map(
      ({ periodS, interval }) => sql`period_s = ${periodS} AND ${inIntervalSql(sql`ends_us`, interval)}`,
    ),
  );
}

/** The count at an index belongs to the key at that index. */
type SummedMap<Key> = readonly [keys: readonly Key[], counts: readonly number[]];

/**
 * The sums of a column of maps as `SummedMap`: reading them as objects with numbers as keys takes three times as long.
 */
const sumMapSql = (column: Sql): Sql => sql`(mapKeys(sumMap(${column})), mapValues(sumMap(${column})))`;

type StatisticsRow = {
  readonly oks: number;
  readonly errors: number;
  readonly throttles: number;
  readonly faults: number;
  readonly response_us: number;
};

const STATISTICS = sql`
  sum(oks) AS oks, sum(errors) AS errors, sum(throttles) AS throttles, sum(faults) AS faults,
  sum(response_us) AS response_us`;

type RolledUpRow = StatisticsRow & {
  readonly from_key: string;
  readonly key: string;
  readonly type: string;
  readonly traces: number;
  readonly roots: number;
  readonly clients: number;
  readonly actives: number;
  readonly passives: number;
  readonly inferreds: number;
  readonly first_us: number;
  readonly last_us: number;
  readonly responses: SummedMap<number>;
  readonly durations: SummedMap<number>;
  readonly aliases: SummedMap<string>;
  readonly ages: SummedMap<number>;
  readonly batch: number;
};

function nodeOf(row: RolledUpRow): ServiceNodeBuilder {
  return {
    key: row.key,
    service: serviceOfKey(row.key),
    traceCount: row.traces,
    rootCount: row.roots,
    clientCount: row.clients,
    activeCount: row.actives,
    passiveCount: row.passives,
    inferredCount: row.inferreds,
    startUs: row.first_us,
    endUs: row.last_us,
    statistics: statisticsOf(row),
    responseTimes: countsOf(row.responses),
    durations: countsOf(row.durations),
  };
}

function edgeOf(row: RolledUpRow): ServiceEdgeBuilder {
  return {
    from: row.from_key,
    to: row.key,
    type: row.type === 'link' ? 'link' : undefined,
    traceCount: row.traces,
    aliases: countsOf(row.aliases),
    statistics: statisticsOf(row),
    responseTimes: countsOf(row.responses),
    eventAges: countsOf(row.ages),
  };
}

function statisticsOf(row: StatisticsRow): StatisticsBuilder {
  return {
    okCount: row.oks,
    errorCount: row.errors,
    throttleCount: row.throttles,
    faultCount: row.faults,
    totalCount: row.oks + row.errors + row.throttles + row.faults,
    totalResponseTimeUs: row.response_us,
  };
}

function countsOf<Key>([keys, counts]: SummedMap<Key>): Map<Key, number> {
  const held = new Map<Key, number>();
  keys.forEach((key, index) => {
    const count = counts[index] as number;
    if (count !== 0) held.set(key, count);
  });
  return held;
}
