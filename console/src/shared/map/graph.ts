import type { WireEdge, WireService, WireStatistics } from 'openray/api-types';
import { edgeKey, nodeKey } from 'openray/model';
import { entriesToUs, type WeightedTime } from '../histogram.ts';
import { averageUs, NO_REQUESTS, type OutcomeCounts, outcomeCounts, totalOf } from '../outcome.ts';

/** Measurements of a node or an edge: its requests, or the messages of a link. */
export type Traffic = {
  readonly counts: OutcomeCounts;
  readonly total: number;
  readonly averageUs: number | undefined;
  readonly times: readonly WeightedTime[];
};

export type GraphNode = {
  /** The model's `nodeKey`: the same service has the same key in every response, unlike its ReferenceId. */
  readonly key: string;
  readonly name: string;
  readonly type: string | null;
  readonly isClient: boolean;
  readonly isRoot: boolean;
  /** Inferred from its callers: it sent no segment. */
  readonly isInferred: boolean;
  readonly traffic: Traffic;
};

export type GraphEdge = {
  /** The model's `edgeKey`. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** From a producer of messages to their consumer, in separate traces: not a call. `times` are the messages' ages. */
  readonly isLink: boolean;
  readonly traffic: Traffic;
};

/** Nodes sorted by key and edges by (from, to), so that the same graph always has the same layout. */
export type ServiceGraph = { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };

/** The selected node or edge. */
export type GraphSelection = { readonly kind: 'node' | 'edge'; readonly key: string };

/** The graph of the wire's services. An edge to a service that is not in the list is left out. */
export function toServiceGraph(services: readonly WireService[]): ServiceGraph {
  const keyById = new Map(services.map((service) => [service.ReferenceId, keyOf(service)]));
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  for (const service of services) {
    const key = keyOf(service);
    nodes.set(key, toNode(key, service));
    for (const edge of service.Edges) {
      const to = keyById.get(edge.ReferenceId);
      if (to !== undefined) edges.push(toEdge(key, to, edge));
    }
  }
  return {
    nodes: [...nodes.values()].sort((a, b) => compare(a.key, b.key)),
    edges: edges.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to)),
  };
}

/** Keys of the selected node or edge and of its neighbours: a large map fades all others. */
export function neighbourhood(graph: ServiceGraph, selection: GraphSelection): ReadonlySet<string> {
  const near = new Set<string>([selection.key]);
  for (const { key, from, to } of graph.edges) {
    if (selection.kind === 'edge' ? key !== selection.key : from !== selection.key && to !== selection.key) continue;
    near.add(key).add(from).add(to);
  }
  return near;
}

/** The sum of a client's edges, since the node of a client has no statistics. */
export function clientTraffic(graph: ServiceGraph, key: string): Traffic {
  return mergeTraffic(graph.edges.filter((edge) => edge.from === key).map((edge) => edge.traffic));
}

function keyOf({ Name, Type, AccountId }: WireService): string {
  return nodeKey({ name: Name, type: Type ?? undefined, accountId: AccountId ?? undefined });
}

function toNode(key: string, service: WireService): GraphNode {
  return {
    key,
    name: service.Name,
    type: service.Type,
    isClient: service.Type === 'client',
    isRoot: service.Root === true,
    isInferred: service.State !== 'active' && service.Type !== 'client',
    traffic: toTraffic(service.SummaryStatistics, service.ResponseTimeHistogram ?? []),
  };
}

function toEdge(from: string, to: string, edge: WireEdge): GraphEdge {
  const isLink = edge.EdgeType === 'link';
  return {
    key: edgeKey({ from, to, type: isLink ? 'link' : undefined }),
    from,
    to,
    isLink,
    traffic: isLink
      ? messageTraffic(entriesToUs(edge.ReceivedEventAgeHistogram ?? []))
      : toTraffic(edge.SummaryStatistics, edge.ResponseTimeHistogram ?? []),
  };
}

/** Messages have an age and no outcome: their outcomes are in the consumers' traces. */
function messageTraffic(times: readonly WeightedTime[]): Traffic {
  const total = times.reduce((sum, { count }) => sum + count, 0);
  const sumUs = times.reduce((sum, { us, count }) => sum + us * count, 0);
  return { counts: NO_REQUESTS, total, averageUs: total === 0 ? undefined : sumUs / total, times };
}

function toTraffic(statistics: WireStatistics | null, histogram: WireEdge['ResponseTimeHistogram'] & object): Traffic {
  const counts = outcomeCounts(statistics);
  return { counts, total: totalOf(counts), averageUs: averageUs(statistics), times: entriesToUs(histogram) };
}

function mergeTraffic(parts: readonly Traffic[]): Traffic {
  const counts = { ...NO_REQUESTS };
  let total = 0;
  let sumUs = 0;
  for (const part of parts) {
    counts.ok += part.counts.ok;
    counts.error += part.counts.error;
    counts.throttle += part.counts.throttle;
    counts.fault += part.counts.fault;
    total += part.total;
    sumUs += (part.averageUs ?? 0) * part.total;
  }
  return {
    counts,
    total,
    averageUs: total === 0 ? undefined : sumUs / total,
    times: parts.flatMap((part) => part.times),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
