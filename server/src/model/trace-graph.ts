import type { Entity } from './entity.ts';
import { durationUsOf, isCall } from './entity.ts';
import type { GraphEdge, GraphNode, Observation, ServiceId, TraceGraph } from './graph.ts';
import { calleesOf, inferredCalls } from './inferred.ts';
import { calledService, nodeKey, serviceOf } from './service-names.ts';
import type { Trace } from './trace.ts';
import type { EntityId } from './trace-id.ts';

/**
 * The services of a trace and the calls between them: the client, one node for each service that reported or was
 * called, an edge for each pair. A node counts the requests that the service reported, an edge those that its caller
 * saw. Subsegments without a segment (orphans) belong to no service and are omitted.
 *
 * Links to other traces make no edges here: `linkGraph` needs those traces to find the services.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html
 */
export function traceGraph(trace: Trace): TraceGraph {
  const nodes = new Map<string, Mutable<GraphNode>>();
  const edges = new Map<string, Mutable<GraphEdge>>();
  addReported(trace, nodes);
  addClient(trace, nodes, edges);
  addInferred(trace, nodes, edges);
  addCallsToReported(trace, edges);
  return {
    nodes: [...nodes.values()].sort((a, b) => compare(a.key, b.key)),
    edges: [...edges.values()].sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to)),
  };
}

/** A node or edge with mutable lists, while it is built. */
type Mutable<T> = {
  -readonly [Key in keyof T]: T[Key] extends readonly (infer Element)[] ? Element[] : T[Key];
};
type Nodes = Map<string, Mutable<GraphNode>>;
type Edges = Map<string, Mutable<GraphEdge>>;

function addReported(trace: Trace, nodes: Nodes): void {
  const extents = segmentExtents(trace);
  for (const segment of trace.segments) {
    const node = ensureNode(nodes, serviceOf(segment));
    node.state = 'active';
    node.isInferred = false;
    if (segment === trace.root) node.isRoot = true;
    node.segments.push(segment);
    observe(segment, node.responses);
    const extent = extents.get(segment.id);
    if (extent === undefined) continue;
    for (const entity of extent.entities) node.entities.push(entity);
    if (segment.endUs !== undefined) node.durationsUs.push(Math.max(0, extent.endUs - extent.startUs));
  }
}

function addClient(trace: Trace, nodes: Nodes, edges: Edges): void {
  if (trace.root === undefined) return;
  const service = serviceOf(trace.root);
  const client = ensureNode(nodes, { ...service, type: 'client' });
  client.isClient = true;
  client.isInferred = false;
  client.segments.push(trace.root);
  client.entities.push(trace.root);
  const edge = ensureEdge(edges, client.key, nodeKey(service));
  edge.entities.push(trace.root);
  observe(trace.root, edge.calls);
}

function addInferred(trace: Trace, nodes: Nodes, edges: Edges): void {
  for (const call of inferredCalls(trace)) {
    const caller = trace.segmentOf.get(call.id);
    if (caller === undefined) continue;
    const service = calledService(call);
    const node = ensureNode(nodes, service);
    if (node.state === 'unknown' && service.type === 'remote') node.state = 'passive';
    node.segments.push(call);
    node.entities.push(call);
    // X-Ray counts the requests of the called service only once its caller has ended.
    if (caller.endUs !== undefined) {
      observe(call, node.responses);
      node.durationsUs.push(durationUsOf(call) ?? 0);
    }
    const edge = ensureEdge(edges, nodeKey(serviceOf(caller)), node.key);
    edge.entities.push(call);
    observe(call, edge.calls);
  }
}

function addCallsToReported(trace: Trace, edges: Edges): void {
  for (const parent of trace.entities.values()) {
    const caller = trace.segmentOf.get(parent.id);
    if (caller === undefined) continue;
    const callees = calleesOf(trace, parent);
    if (callees.length === 0) continue;
    const from = nodeKey(serviceOf(caller));
    const called = new Set<string>();
    for (const callee of callees) {
      const to = nodeKey(serviceOf(callee));
      const edge = ensureEdge(edges, from, to);
      // A call with several segments of the called service below it is one call.
      const seen = isCall(parent) ? parent : callee;
      if (seen === parent && called.has(to)) continue;
      called.add(to);
      edge.entities.push(seen);
      observe(seen, edge.calls);
      if (seen === parent) addAlias(edge, calledService(parent));
    }
  }
}

function ensureNode(nodes: Nodes, service: ServiceId): Mutable<GraphNode> {
  const key = nodeKey(service);
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const node: Mutable<GraphNode> = {
    key,
    service,
    state: 'unknown',
    isRoot: false,
    isClient: false,
    isInferred: true,
    responses: [],
    durationsUs: [],
    segments: [],
    entities: [],
  };
  nodes.set(key, node);
  return node;
}

function ensureEdge(edges: Edges, from: string, to: string): Mutable<GraphEdge> {
  const key = edgeKey({ from, to, type: undefined });
  const known = edges.get(key);
  if (known !== undefined) return known;
  const edge: Mutable<GraphEdge> = { from, to, type: undefined, aliases: [], calls: [], eventAgesUs: [], entities: [] };
  edges.set(key, edge);
  return edge;
}

/**
 * A text for an edge: between two nodes, by `nodeKey`, which is one line, there may be one of calls and one of links.
 */
export function edgeKey({ from, to, type }: Pick<GraphEdge, 'from' | 'to' | 'type'>): string {
  return `${type ?? ''}\n${from}\n${to}`;
}

function addAlias(edge: Mutable<GraphEdge>, alias: ServiceId): void {
  const key = nodeKey(alias);
  if (edge.aliases.some((known) => nodeKey(known) === key)) return;
  edge.aliases.push(alias);
  edge.aliases.sort((a, b) => compare(nodeKey(a), nodeKey(b)));
}

function observe(entity: Entity, observations: Observation[]): void {
  const durationUs = durationUsOf(entity);
  if (durationUs !== undefined) observations.push({ startUs: entity.startUs, durationUs, outcome: entity.outcome });
}

type SegmentExtent = { startUs: number; endUs: number; readonly entities: Entity[] };

/** For each segment: the segment with its own subsegments, and the time from their first start to their last end. */
function segmentExtents(trace: Trace): ReadonlyMap<EntityId, SegmentExtent> {
  const extents = new Map<EntityId, SegmentExtent>();
  for (const entity of trace.entities.values()) {
    const segment = trace.segmentOf.get(entity.id);
    if (segment === undefined) continue;
    const extent = extents.get(segment.id);
    if (extent === undefined) {
      extents.set(segment.id, { startUs: entity.startUs, endUs: entity.endUs ?? entity.startUs, entities: [entity] });
    } else {
      extent.startUs = Math.min(extent.startUs, entity.startUs);
      extent.endUs = Math.max(extent.endUs, entity.endUs ?? entity.startUs);
      extent.entities.push(entity);
    }
  }
  return extents;
}

/** By code unit: the order of a locale depends on the machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
