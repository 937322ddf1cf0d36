import type { GraphEdge, GraphNode, Observation, ServiceId, TraceGraph } from './graph.ts';
import type { Histogram, HistogramBuilder } from './histogram.ts';
import { addTo, mergeHistograms } from './histogram.ts';
import { nodeKey } from './service-names.ts';
import { edgeKey } from './trace-graph.ts';

/**
 * Requests counted once each: `totalCount` is the sum of the four counts. `errorCount` leaves throttles out; X-Ray's
 * `ErrorStatistics.TotalCount` is both together.
 */
export type Statistics = {
  readonly okCount: number;
  readonly errorCount: number;
  readonly throttleCount: number;
  readonly faultCount: number;
  readonly totalCount: number;
  readonly totalResponseTimeUs: number;
};

/**
 * A service over many traces. `startUs` and `endUs` are the whole seconds that enclose the starts of those traces'
 * roots; X-Ray gives every edge the bounds of the node it leaves.
 */
export type ServiceNode = Pick<GraphNode, 'key' | 'service' | 'state' | 'isRoot' | 'isClient' | 'isInferred'> & {
  readonly startUs: number;
  readonly endUs: number;
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
  readonly durations: Histogram;
};

export type ServiceEdge = Pick<GraphEdge, 'from' | 'to' | 'type'> & {
  /** By node key, each once. */
  readonly aliases: readonly ServiceId[];
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
  readonly eventAges: Histogram;
};

/** Nodes by `nodeKey`, edges by `edgeKey`; their order means nothing. */
export type ServiceGraph = {
  readonly nodes: ReadonlyMap<string, ServiceNode>;
  readonly edges: ReadonlyMap<string, ServiceEdge>;
};

export function emptyServiceGraph(): ServiceGraph {
  return { nodes: new Map(), edges: new Map() };
}

/** The graph with one more trace in it. The order in which traces are added makes no difference. */
export function addTrace(graph: ServiceGraph, trace: TraceGraph): ServiceGraph {
  return mergeServiceGraphs(graph, graphOf(trace));
}

/** All traces in one graph; takes time in proportion to the traces, however large the graph gets. */
export function serviceGraph(traces: Iterable<TraceGraph>): ServiceGraph {
  const nodes = new Map<string, ServiceNode>();
  const edges = new Map<string, ServiceEdge>();
  for (const trace of traces) mergeInto(nodes, edges, graphOf(trace));
  return { nodes, edges };
}

export function mergeServiceGraphs(a: ServiceGraph, b: ServiceGraph): ServiceGraph {
  const nodes = new Map(a.nodes);
  const edges = new Map(a.edges);
  mergeInto(nodes, edges, b);
  return { nodes, edges };
}

function mergeInto(nodes: Map<string, ServiceNode>, edges: Map<string, ServiceEdge>, graph: ServiceGraph): void {
  for (const [key, node] of graph.nodes) {
    const known = nodes.get(key);
    nodes.set(key, known === undefined ? node : mergeNodes(known, node));
  }
  for (const [key, edge] of graph.edges) {
    const known = edges.get(key);
    edges.set(key, known === undefined ? edge : mergeEdges(known, edge));
  }
}

function graphOf(trace: TraceGraph): ServiceGraph {
  const requestUs = requestStartUs(trace);
  const startUs = Math.floor(requestUs / 1e6) * 1e6;
  return {
    nodes: new Map(trace.nodes.map((node) => [node.key, nodeOf(node, startUs)])),
    edges: new Map(trace.edges.map((edge) => [edgeKey(edge), edgeOf(edge)])),
  };
}

/** When the root started, or the earliest of what has arrived where there is no root. */
function requestStartUs({ nodes }: TraceGraph): number {
  const [root] = nodes.find((node) => node.isClient)?.segments ?? [];
  if (root !== undefined) return root.startUs;
  return nodes.reduce(
    (earliest, { segments }) => segments.reduce((sooner, { startUs }) => Math.min(sooner, startUs), earliest),
    Number.MAX_SAFE_INTEGER,
  );
}

function nodeOf(node: GraphNode, startUs: number): ServiceNode {
  const { key, service, state, isRoot, isClient, isInferred, responses, durationsUs } = node;
  return {
    key,
    service,
    state,
    isRoot,
    isClient,
    isInferred,
    startUs,
    endUs: startUs + 1e6,
    statistics: statisticsOf(responses),
    responseTimes: histogramOf(responses.map(({ durationUs }) => durationUs)),
    durations: histogramOf(durationsUs),
  };
}

function edgeOf({ from, to, type, aliases, calls, eventAgesUs }: GraphEdge): ServiceEdge {
  return {
    from,
    to,
    type,
    aliases,
    statistics: statisticsOf(calls),
    responseTimes: histogramOf(calls.map(({ durationUs }) => durationUs)),
    eventAges: histogramOf(eventAgesUs),
  };
}

export function statisticsOf(observations: readonly Observation[]): Statistics {
  const counts = { ok: 0, error: 0, throttle: 0, fault: 0 };
  let totalResponseTimeUs = 0;
  for (const { outcome, durationUs } of observations) {
    counts[outcome]++;
    totalResponseTimeUs += durationUs;
  }
  return {
    okCount: counts.ok,
    errorCount: counts.error,
    throttleCount: counts.throttle,
    faultCount: counts.fault,
    totalCount: observations.length,
    totalResponseTimeUs,
  };
}

function histogramOf(durationsUs: readonly number[]): Histogram {
  const builder: HistogramBuilder = new Map();
  for (const durationUs of durationsUs) addTo(builder, durationUs);
  return builder;
}

function mergeNodes(a: ServiceNode, b: ServiceNode): ServiceNode {
  return {
    ...a,
    state: mergeStates(a.state, b.state),
    isRoot: a.isRoot || b.isRoot,
    isClient: a.isClient || b.isClient,
    isInferred: a.isInferred && b.isInferred,
    startUs: Math.min(a.startUs, b.startUs),
    endUs: Math.max(a.endUs, b.endUs),
    statistics: mergeStatistics(a.statistics, b.statistics),
    responseTimes: mergeHistograms(a.responseTimes, b.responseTimes),
    durations: mergeHistograms(a.durations, b.durations),
  };
}

function mergeEdges(a: ServiceEdge, b: ServiceEdge): ServiceEdge {
  return {
    ...a,
    aliases: mergeAliases(a.aliases, b.aliases),
    statistics: mergeStatistics(a.statistics, b.statistics),
    responseTimes: mergeHistograms(a.responseTimes, b.responseTimes),
    eventAges: mergeHistograms(a.eventAges, b.eventAges),
  };
}

/** A service that reported itself once is active, whatever its callers alone could tell of it. */
function mergeStates(a: ServiceNode['state'], b: ServiceNode['state']): ServiceNode['state'] {
  if (a === 'active' || b === 'active') return 'active';
  return a === 'passive' || b === 'passive' ? 'passive' : 'unknown';
}

function mergeAliases(a: readonly ServiceId[], b: readonly ServiceId[]): readonly ServiceId[] {
  const byKey = new Map([...a, ...b].map((alias) => [nodeKey(alias), alias]));
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, alias]) => alias);
}

export function mergeStatistics(a: Statistics, b: Statistics): Statistics {
  return {
    okCount: a.okCount + b.okCount,
    errorCount: a.errorCount + b.errorCount,
    throttleCount: a.throttleCount + b.throttleCount,
    faultCount: a.faultCount + b.faultCount,
    totalCount: a.totalCount + b.totalCount,
    totalResponseTimeUs: a.totalResponseTimeUs + b.totalResponseTimeUs,
  };
}
