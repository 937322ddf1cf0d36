import type { GraphEdge, GraphNode, Observation, ServiceId, TraceGraph } from './graph.ts';
import { addCount, addCounts, addDuration, type Histogram } from './histogram.ts';
import { nodeKey } from './service-names.ts';
import { edgeKey } from './trace-graph.ts';

/**
 * Each request is counted once: `totalCount` is the sum of the four counts. `errorCount` excludes throttles; X-Ray's
 * `ErrorStatistics.TotalCount` is the sum of both.
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
 * A service in many traces. The counts after `traceCount` are the numbers of traces with that property, so that graphs
 * are sums and parts can be subtracted. `startUs` and `endUs` are the whole seconds that enclose the starts of the
 * traces' roots. They only widen, even if a trace is subtracted. X-Ray gives every edge the bounds of its caller.
 */
export type ServiceNode = {
  readonly key: string;
  readonly service: ServiceId;
  readonly traceCount: number;
  readonly rootCount: number;
  readonly clientCount: number;
  readonly activeCount: number;
  readonly passiveCount: number;
  readonly inferredCount: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
  readonly durations: Histogram;
};

export type ServiceEdge = Pick<GraphEdge, 'from' | 'to' | 'type'> & {
  readonly traceCount: number;
  /** Number of traces in which the caller used this name for the called service; by `nodeKey`. */
  readonly aliases: ReadonlyMap<string, number>;
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
  readonly eventAges: Histogram;
};

/** Nodes by `nodeKey`, edges by `edgeKey`, in no particular order. */
export type ServiceGraph = {
  readonly nodes: ReadonlyMap<string, ServiceNode>;
  readonly edges: ReadonlyMap<string, ServiceEdge>;
};

/** A mutable graph. */
export type ServiceGraphBuilder = {
  readonly nodes: Map<string, ServiceNodeBuilder>;
  readonly edges: Map<string, ServiceEdgeBuilder>;
};

export type ServiceNodeBuilder = Mutable<ServiceNode>;
export type ServiceEdgeBuilder = Mutable<ServiceEdge>;

type Mutable<T> = {
  -readonly [Key in keyof T]: T[Key] extends ReadonlyMap<infer Key, number>
    ? Map<Key, number>
    : T[Key] extends Statistics
      ? StatisticsBuilder
      : T[Key];
};

/** 1 to add, -1 to subtract. */
export type Sign = 1 | -1;

export function newServiceGraph(): ServiceGraphBuilder {
  return { nodes: new Map(), edges: new Map() };
}

/** The sum of the graphs of all traces. Their order does not matter. */
export function serviceGraph(traces: Iterable<TraceGraph>): ServiceGraph {
  const builder = newServiceGraph();
  for (const trace of traces) addTrace(builder, trace);
  return withoutZeros(builder);
}

/** Adds a trace, or subtracts one that was added. Takes time linear in the size of the trace. */
export function addTrace(builder: ServiceGraphBuilder, trace: TraceGraph, sign: Sign = 1): void {
  const startUs = Math.floor(requestStartUs(trace) / 1e6) * 1e6;
  for (const node of trace.nodes) addTraceNode(ensureNode(builder, node), node, startUs, sign);
  for (const edge of trace.edges) addTraceEdge(ensureEdge(builder, edge), edge, sign);
}

/** Adds or subtracts another graph. */
export function addGraph(builder: ServiceGraphBuilder, graph: ServiceGraph, sign: Sign = 1): void {
  for (const node of graph.nodes.values()) {
    const target = ensureNode(builder, node);
    for (const count of NODE_COUNTS) target[count] += sign * node[count];
    addBounds(target, node, sign);
    addStatistics(target.statistics, node.statistics, sign);
    addCounts(target.responseTimes, node.responseTimes, sign);
    addCounts(target.durations, node.durations, sign);
  }
  for (const edge of graph.edges.values()) {
    const target = ensureEdge(builder, edge);
    target.traceCount += sign * edge.traceCount;
    if (edge.aliases.size > 0) addCounts(aliasesOf(target), edge.aliases, sign);
    addStatistics(target.statistics, edge.statistics, sign);
    addCounts(target.responseTimes, edge.responseTimes, sign);
    if (edge.eventAges.size > 0) addCounts(eventAgesOf(target), edge.eventAges, sign);
  }
}

/** Deletes nodes and edges whose counts are all 0. */
export function withoutZeros({ nodes, edges }: ServiceGraphBuilder): ServiceGraph {
  for (const [key, node] of nodes) {
    const isEmpty = NODE_COUNTS.every((count) => node[count] === 0) && isZero(node.statistics);
    if (isEmpty && node.responseTimes.size === 0 && node.durations.size === 0) nodes.delete(key);
  }
  for (const [key, edge] of edges) {
    const isEmpty = edge.traceCount === 0 && isZero(edge.statistics) && edge.aliases.size === 0;
    if (isEmpty && edge.responseTimes.size === 0 && edge.eventAges.size === 0) edges.delete(key);
  }
  return { nodes, edges };
}

/** A service with a segment of its own in some trace is active, regardless of its callers. */
export function stateOf({ activeCount, passiveCount }: ServiceNode): GraphNode['state'] {
  if (activeCount > 0) return 'active';
  return passiveCount > 0 ? 'passive' : 'unknown';
}

const NODE_COUNTS = [
  'traceCount',
  'rootCount',
  'clientCount',
  'activeCount',
  'passiveCount',
  'inferredCount',
] as const satisfies readonly (keyof ServiceNode)[];

function ensureNode({ nodes }: ServiceGraphBuilder, { key, service }: Pick<ServiceNode, 'key' | 'service'>) {
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const node = newServiceNode({ key, service });
  nodes.set(key, node);
  return node;
}

export function newServiceNode({ key, service }: Pick<ServiceNode, 'key' | 'service'>): ServiceNodeBuilder {
  return {
    key,
    service,
    traceCount: 0,
    rootCount: 0,
    clientCount: 0,
    activeCount: 0,
    passiveCount: 0,
    inferredCount: 0,
    startUs: Number.MAX_SAFE_INTEGER,
    endUs: 0,
    statistics: newStatistics(),
    responseTimes: new Map(),
    durations: new Map(),
  };
}

function ensureEdge({ edges }: ServiceGraphBuilder, ends: Pick<ServiceEdge, 'from' | 'to' | 'type'>) {
  const key = edgeKey(ends);
  const known = edges.get(key);
  if (known !== undefined) return known;
  const edge = newServiceEdge(ends);
  edges.set(key, edge);
  return edge;
}

export function newServiceEdge({ from, to, type }: Pick<ServiceEdge, 'from' | 'to' | 'type'>): ServiceEdgeBuilder {
  return {
    from,
    to,
    type,
    traceCount: 0,
    aliases: NO_ALIASES,
    statistics: newStatistics(),
    responseTimes: new Map(),
    eventAges: NO_AGES,
  };
}

/** Most edges have no aliases and no ages. They share these maps, which stay empty. */
const NO_ALIASES = new Map<string, number>();
const NO_AGES = new Map<number, number>();

/** A map of the edge alone. */
export function aliasesOf(edge: ServiceEdgeBuilder): Map<string, number> {
  if (edge.aliases === NO_ALIASES) edge.aliases = new Map();
  return edge.aliases;
}

function eventAgesOf(edge: ServiceEdgeBuilder): Map<number, number> {
  if (edge.eventAges === NO_AGES) edge.eventAges = new Map();
  return edge.eventAges;
}

function addTraceNode(target: ServiceNodeBuilder, node: GraphNode, startUs: number, sign: Sign): void {
  target.traceCount += sign;
  if (node.isRoot) target.rootCount += sign;
  if (node.isClient) target.clientCount += sign;
  if (node.isInferred) target.inferredCount += sign;
  if (node.state === 'active') target.activeCount += sign;
  if (node.state === 'passive') target.passiveCount += sign;
  addBounds(target, { startUs, endUs: startUs + 1e6 }, sign);
  addObservations(target, node.responses, sign);
  for (const durationUs of node.durationsUs) addDuration(target.durations, durationUs, sign);
}

function addTraceEdge(target: ServiceEdgeBuilder, edge: GraphEdge, sign: Sign): void {
  target.traceCount += sign;
  for (const alias of edge.aliases) addCount(aliasesOf(target), nodeKey(alias), sign);
  addObservations(target, edge.calls, sign);
  for (const ageUs of edge.eventAgesUs) addDuration(eventAgesOf(target), ageUs, sign);
}

/** Start of the root; without a root, the earliest start in the graph. */
function requestStartUs({ nodes }: TraceGraph): number {
  const [root] = nodes.find((node) => node.isClient)?.segments ?? [];
  if (root !== undefined) return root.startUs;
  return nodes.reduce(
    (earliest, { segments }) => segments.reduce((sooner, { startUs }) => Math.min(sooner, startUs), earliest),
    Number.MAX_SAFE_INTEGER,
  );
}

function addBounds(
  target: ServiceNodeBuilder,
  { startUs, endUs }: Pick<ServiceNode, 'startUs' | 'endUs'>,
  sign: Sign,
): void {
  if (sign === -1) return;
  target.startUs = Math.min(target.startUs, startUs);
  target.endUs = Math.max(target.endUs, endUs);
}

/** Mutable statistics. */
export type StatisticsBuilder = { -readonly [Count in keyof Statistics]: number };

type Observed = Pick<ServiceEdgeBuilder, 'statistics' | 'responseTimes'>;

function addObservations(
  { statistics, responseTimes }: Observed,
  observations: readonly Observation[],
  sign: Sign,
): void {
  for (const observation of observations) {
    addObservation(statistics, observation, sign);
    addDuration(responseTimes, observation.durationUs, sign);
  }
}

const COUNT_OF = { ok: 'okCount', error: 'errorCount', throttle: 'throttleCount', fault: 'faultCount' } as const;

/** Adds one request, or subtracts one. */
export function addObservation(target: StatisticsBuilder, { outcome, durationUs }: Observation, sign: Sign): void {
  target[COUNT_OF[outcome]] += sign;
  target.totalCount += sign;
  target.totalResponseTimeUs += sign * durationUs;
}

export function addStatistics(target: StatisticsBuilder, added: Statistics, sign: Sign): void {
  for (const count of Object.keys(target) as (keyof Statistics)[]) target[count] += sign * added[count];
}

export function newStatistics(): StatisticsBuilder {
  return { okCount: 0, errorCount: 0, throttleCount: 0, faultCount: 0, totalCount: 0, totalResponseTimeUs: 0 };
}

const isZero = (statistics: Statistics): boolean => Object.values(statistics).every((count) => count === 0);
