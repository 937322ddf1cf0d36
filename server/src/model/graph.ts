import type { Entity, Outcome } from './entity.ts';
import { contains, type TimeInterval } from './time-interval.ts';

/** Identity of a service. `type` is its origin, `client`, `remote`, or undefined if the segment had no origin. */
export type ServiceId = {
  readonly name: string;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
};

/** One finished request as one side saw it. `durationUs` is end - start. */
export type Observation = {
  readonly startUs: number;
  readonly durationUs: number;
  readonly outcome: Outcome;
};

/** A service in one trace. */
export type GraphNode = {
  readonly key: string;
  readonly service: ServiceId;
  readonly state: 'active' | 'unknown' | 'passive';
  readonly isRoot: boolean;
  readonly isClient: boolean;
  /** The service sent no segment: it is inferred from the subsegments of its callers. */
  readonly isInferred: boolean;
  /** Response time: segment end - start, or the caller's subsegment for an inferred service. Empty for a client. */
  readonly responses: readonly Observation[];
  /** For each segment the time from its first start to its last end, own subsegments included. Microseconds. */
  readonly durationsUs: readonly number[];
  /** Its segments; the calls to it if it is inferred; the root segment for a client. Filters are evaluated on these. */
  readonly segments: readonly Entity[];
  /** `segments` and their own subsegments, without entities of other services. */
  readonly entities: readonly Entity[];
};

/** A call from one service to another in one trace. */
export type GraphEdge = {
  readonly from: string;
  readonly to: string;
  /** `link` for a message from a service in another trace. */
  readonly type: 'link' | undefined;
  /** The names that the callers used for the called service. */
  readonly aliases: readonly ServiceId[];
  /** As the caller saw them. */
  readonly calls: readonly Observation[];
  /** Age of each event when its consumer started, microseconds; only for `link`. */
  readonly eventAgesUs: readonly number[];
  /** The caller's subsegments (the root segment for the client's edge, the callee where there is no subsegment). */
  readonly entities: readonly Entity[];
};

/** Nodes are ordered by key, edges by (from, to). */
export type TraceGraph = { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };

/**
 * The part of a trace's graph that ended in the interval: requests with their services, calls with both ends. The parts
 * of adjacent intervals add up to the whole.
 */
export function graphEndedIn(graph: TraceGraph, interval: TimeInterval): TraceGraph {
  const hasEnded = ({ startUs, durationUs }: Observation) => contains(interval, startUs + durationUs);
  const edges = graph.edges.map((edge) => edgeEndedIn(edge, hasEnded)).filter(({ calls }) => calls.length > 0);
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const nodes = graph.nodes
    .map((node) => nodeEndedIn(node, hasEnded))
    .filter(({ key, responses }) => responses.length > 0 || ends.has(key));
  return { nodes, edges };
}

type HasEnded = (observation: Observation) => boolean;

/** Returns the same edge if all its calls have ended, as in most windows. */
function edgeEndedIn(edge: GraphEdge, hasEnded: HasEnded): GraphEdge {
  return edge.calls.every(hasEnded) ? edge : { ...edge, calls: edge.calls.filter(hasEnded) };
}

function nodeEndedIn(node: GraphNode, hasEnded: HasEnded): GraphNode {
  if (node.responses.every(hasEnded)) return node;
  return {
    ...node,
    responses: node.responses.filter(hasEnded),
    durationsUs: node.durationsUs.filter((_, index) => hasEnded(node.responses[index] as Observation)),
  };
}
