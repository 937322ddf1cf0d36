import type { Histogram } from '../../model/histogram.ts';
import type { ServiceEdge, ServiceGraph, ServiceNode } from '../../model/service-graph.ts';
import type { Columns, RowBlock } from '../engine/engine.ts';
import {
  createRowBuffer,
  type RowBuffer,
  writeInt64,
  writeLength,
  writeString,
  writeUInt32,
  writeUInt64,
  writtenBytes,
} from '../row-binary.ts';

/** Columns of `service_map` in the order in which a row is written. */
const COLUMNS: Columns = {
  period_s: 'UInt32',
  ends_us: 'UInt64',
  from_key: 'LowCardinality(String)',
  key: 'LowCardinality(String)',
  type: 'LowCardinality(String)',
  traces: 'Int64',
  roots: 'Int64',
  clients: 'Int64',
  actives: 'Int64',
  passives: 'Int64',
  inferreds: 'Int64',
  oks: 'Int64',
  errors: 'Int64',
  throttles: 'Int64',
  faults: 'Int64',
  response_us: 'Int64',
  first_us: 'UInt64',
  last_us: 'UInt64',
  responses: 'Map(UInt64, Int64)',
  durations: 'Map(UInt64, Int64)',
  aliases: 'Map(String, Int64)',
  ages: 'Map(UInt64, Int64)',
  batch: 'UInt64',
};

/** Counts that are added to a period, or subtracted if they are negative. The period ends with `endsUs`, inclusive. */
export type PeriodGraph = { readonly periodS: number; readonly endsUs: number; readonly graph: ServiceGraph };

/** A block that is written one period at a time. */
export type RollUpBlock = { add(period: PeriodGraph): void; end(): RowBlock };

/**
 * The block that rolls up all documents after `fromSeq` up to `toSeq`. Of the blocks with the same `fromSeq` only the
 * first takes effect.
 */
export function newRollUpBlock(fromSeq: number, toSeq: number): RollUpBlock {
  return newBlock(toSeq, `service_map/${fromSeq}`);
}

/**
 * The block that corrects what was rolled up through `rollUpWatermark`, without moving the watermark. Of the blocks
 * with the same `name` only the first takes effect.
 */
export function newCorrectionBlock(rollUpWatermark: number, name: string): RollUpBlock {
  return newBlock(rollUpWatermark, `service_map/${name}`);
}

function newBlock(toSeq: number, insertToken: string): RollUpBlock {
  const rows = createRowBuffer();
  writeRow(rows, { periodS: 0, endsUs: 0 }, WATERMARK_ROW, toSeq);
  return {
    add(period) {
      for (const node of period.graph.nodes.values()) writeRow(rows, period, rowOfNode(node), toSeq);
      for (const edge of period.graph.edges.values()) writeRow(rows, period, rowOfEdge(edge), toSeq);
    },
    end: () => ({ table: 'service_map', columns: COLUMNS, bytes: writtenBytes(rows), insertToken }),
  };
}

type Row = {
  readonly from: string;
  readonly key: string;
  readonly type: string;
  /** Traces, roots, clients, active, passive, inferred. */
  readonly counts: readonly [number, number, number, number, number, number];
  readonly source: Pick<ServiceNode, 'statistics' | 'responseTimes'>;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly durations: Histogram;
  readonly aliases: ReadonlyMap<string, number>;
  readonly ages: Histogram;
};

const NO_BINS: Histogram = new Map();
const NO_NAMES: ReadonlyMap<string, number> = new Map();
const NO_STATISTICS = {
  okCount: 0,
  errorCount: 0,
  throttleCount: 0,
  faultCount: 0,
  totalCount: 0,
  totalResponseTimeUs: 0,
};
const UNBOUNDED = { firstUs: Number.MAX_SAFE_INTEGER, lastUs: 0 };
const WATERMARK_ROW: Row = {
  from: '',
  key: '',
  type: '',
  counts: [0, 0, 0, 0, 0, 0],
  source: { statistics: NO_STATISTICS, responseTimes: NO_BINS },
  ...UNBOUNDED,
  durations: NO_BINS,
  aliases: NO_NAMES,
  ages: NO_BINS,
};

function rowOfNode(node: ServiceNode): Row {
  const { traceCount, rootCount, clientCount, activeCount, passiveCount, inferredCount } = node;
  return {
    from: '',
    key: node.key,
    type: '',
    counts: [traceCount, rootCount, clientCount, activeCount, passiveCount, inferredCount],
    source: node,
    firstUs: node.startUs,
    lastUs: node.endUs,
    durations: node.durations,
    aliases: NO_NAMES,
    ages: NO_BINS,
  };
}

function rowOfEdge(edge: ServiceEdge): Row {
  return {
    from: edge.from,
    key: edge.to,
    type: edge.type ?? '',
    counts: [edge.traceCount, 0, 0, 0, 0, 0],
    source: edge,
    ...UNBOUNDED,
    durations: NO_BINS,
    aliases: edge.aliases,
    ages: edge.eventAges,
  };
}

function writeRow(target: RowBuffer, { periodS, endsUs }: Omit<PeriodGraph, 'graph'>, row: Row, batch: number): void {
  const { statistics, responseTimes } = row.source;
  writeUInt32(target, periodS);
  writeUInt64(target, endsUs);
  writeString(target, row.from);
  writeString(target, row.key);
  writeString(target, row.type);
  for (const count of row.counts) writeInt64(target, count);
  writeInt64(target, statistics.okCount);
  writeInt64(target, statistics.errorCount);
  writeInt64(target, statistics.throttleCount);
  writeInt64(target, statistics.faultCount);
  writeInt64(target, statistics.totalResponseTimeUs);
  writeUInt64(target, row.firstUs);
  writeUInt64(target, row.lastUs);
  writeHistogram(target, responseTimes);
  writeHistogram(target, row.durations);
  writeLength(target, row.aliases.size);
  for (const [key, count] of row.aliases) {
    writeString(target, key);
    writeInt64(target, count);
  }
  writeHistogram(target, row.ages);
  writeUInt64(target, batch);
}

function writeHistogram(target: RowBuffer, histogram: Histogram): void {
  writeLength(target, histogram.size);
  for (const [binUs, count] of histogram) {
    writeUInt64(target, binUs);
    writeInt64(target, count);
  }
}
