import type { Histogram, HistogramBuilder } from '../../model/histogram.ts';
import {
  newServiceGraph,
  type ServiceEdgeBuilder,
  type ServiceGraphBuilder,
  type ServiceNodeBuilder,
  type Statistics,
  type StatisticsBuilder,
} from '../../model/service-graph.ts';
import { serviceOfKey } from '../../model/service-names.ts';
import { edgeKey } from '../../model/trace-graph.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { coverByPeriods, type Span } from './periods.ts';

/** What has been added up of a span, the caller's to go on with, and up to which document. */
export type RolledUpGraph = { readonly graph: ServiceGraphBuilder; readonly rollUpWatermark: number };

/** All documents up to this one are in the sums; 0 when there are none. */
export async function readRollUpWatermark(store: Store, options: QueryOptions = {}): Promise<number> {
  const rows = await store.query<{ counted: number }>(
    sql`SELECT max(batch) AS counted FROM service_map WHERE period_s = 0`,
    options,
  );
  return rows[0]?.counted ?? 0;
}

/** Sums of a span of whole minutes. One statement sees a batch of documents whole or not at all. */
export async function readRolledUpGraph(store: Store, span: Span, options: QueryOptions): Promise<RolledUpGraph> {
  const rows = await store.query<RolledUpRow>(
    sql`
      SELECT from_key, key, type, sum(traces) AS traces, sum(roots) AS roots, sum(clients) AS clients,
        sum(actives) AS actives, sum(passives) AS passives, sum(inferreds) AS inferreds, ${STATISTICS},
        min(first_us) AS first_us, max(last_us) AS last_us, ${sumMapSql(sql`responses`)} AS responses,
        ${sumMapSql(sql`durations`)} AS durations, ${sumMapSql(sql`aliases`)} AS aliases, ${sumMapSql(sql`ages`)} AS ages,
        max(batch) AS batch
      FROM service_map WHERE period_s = 0 OR ${inPeriodsSql(span)}
      GROUP BY from_key, key, type`,
    options,
  );
  const { nodes, edges } = newServiceGraph();
  let countedSeq = 0;
  for (const row of rows) {
    if (row.key === '') countedSeq = row.batch;
    else if (row.from_key === '') nodes.set(row.key, nodeOf(row));
    else {
      const edge = edgeOf(row);
      edges.set(edgeKey(edge), edge);
    }
  }
  return { graph: { nodes, edges }, rollUpWatermark: countedSeq };
}

/** What was counted of some services or calls in each period of a series. */
export type RolledUpSeries = {
  readonly points: readonly {
    readonly endUs: number;
    readonly statistics: Statistics;
    readonly responseTimes: Histogram;
  }[];
  readonly rollUpWatermark: number;
};

/** A service, or the calls from one to another; by `nodeKey`. */
export type ServiceGraphKey = { readonly from: string | undefined; readonly key: string };

/** Services and calls of which something is counted in the span. */
export async function readServiceGraphKeys(
  store: Store,
  span: Span,
  options: QueryOptions,
): Promise<{ readonly keys: readonly ServiceGraphKey[]; readonly countedSeq: number }> {
  const rows = await store.query<{ from_key: string; key: string; batch: number }>(
    sql`
      SELECT from_key, key, max(batch) AS batch FROM service_map WHERE period_s = 0 OR ${inPeriodsSql(span)}
      GROUP BY from_key, key`,
    options,
  );
  const keys = rows.map((row) => ({ from: row.from_key === '' ? undefined : row.from_key, key: row.key }));
  const mark = rows.find((row) => row.key === '');
  return { keys: keys.filter(({ key }) => key !== ''), countedSeq: mark?.batch ?? 0 };
}

/** Sums of what `keys` name in each period (a multiple of a minute) of a span of whole periods. */
export async function readRolledUpSeries(
  store: Store,
  {
    span,
    periodUs,
    keys,
  }: { readonly span: Span; readonly periodUs: number; readonly keys: readonly ServiceGraphKey[] },
  options: QueryOptions,
): Promise<RolledUpSeries> {
  const { afterUs, lastUs } = span;
  const wanted = sql.typed(keys.map(pairOf), 'Array(String)');
  const rows = await store.query<StatisticsRow & { end_us: number; responses: SummedMap<number>; batch: number }>(
    sql`
      SELECT intDiv(ends_us + ${periodUs - 1}, ${periodUs}) * ${periodUs} AS end_us, ${STATISTICS},
        ${sumMapSql(sql`responses`)} AS responses, max(batch) AS batch
      FROM service_map
      WHERE period_s = 0 OR (
        period_s = 60 AND ends_us > ${afterUs} AND ends_us <= ${lastUs} AND has(${wanted}, concat(from_key, '\\n', key))
      )
      GROUP BY end_us`,
    options,
  );
  return {
    points: rows
      .filter((row) => row.end_us > 0)
      .map((row) => ({ endUs: row.end_us, statistics: statisticsOf(row), responseTimes: histogramOf(row.responses) })),
    rollUpWatermark: rows.find((row) => row.end_us === 0)?.batch ?? 0,
  };
}

const pairOf = ({ from, key }: ServiceGraphKey): string => `${from ?? ''}\n${key}`;

function inPeriodsSql(span: Span): Sql {
  return sql.or(
    coverByPeriods(span).map(
      ({ periodS, afterUs, lastUs }) => sql`period_s = ${periodS} AND ends_us > ${afterUs} AND ends_us <= ${lastUs}`,
    ),
  );
}

/** Keys and, for each, its count. */
type SummedMap<Key> = readonly [keys: readonly Key[], counts: readonly number[]];

/** The sums of a column of maps as `Counted`: as objects, with numbers for keys, they take three times as long to read. */
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
    responseTimes: histogramOf(row.responses),
    durations: histogramOf(row.durations),
  };
}

function edgeOf(row: RolledUpRow): ServiceEdgeBuilder {
  return {
    from: row.from_key,
    to: row.key,
    type: row.type === 'link' ? 'link' : undefined,
    traceCount: row.traces,
    aliases: countsOf(row.aliases, (key) => key),
    statistics: statisticsOf(row),
    responseTimes: histogramOf(row.responses),
    eventAges: histogramOf(row.ages),
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

/** Columns hold bins in microseconds. */
const histogramOf = (column: SummedMap<number>): HistogramBuilder => countsOf(column, (us) => us / 1e6);

function countsOf<Key, Held = Key>([keys, counts]: SummedMap<Key>, keyOf: (key: Key) => Held): Map<Held, number> {
  const held = new Map<Held, number>();
  keys.forEach((key, index) => {
    const count = counts[index] as number;
    if (count !== 0) held.set(keyOf(key), count);
  });
  return held;
}
