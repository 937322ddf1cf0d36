import type { Entity, Link } from './entity.ts';
import { isCall } from './entity.ts';
import type { GraphEdge, GraphNode, ServiceId, TraceGraph } from './graph.ts';
import { calleesOf } from './inferred.ts';
import { calledService, nodeKey, serviceOf } from './service-names.ts';
import type { Trace } from './trace.ts';
import type { TraceId } from './trace-id.ts';

/** A message from an entity of one trace that an entity of another has taken. */
type MessageLink = {
  readonly producer: Entity;
  readonly consumer: Entity;
  readonly from: ServiceId;
  readonly to: ServiceId;
};

/** Traces that the consumers of this one name as the producers of their messages, each once. */
export function linkedTraceIds(trace: Trace): readonly TraceId[] {
  const ids = [...trace.entities.values()].flatMap(({ links }) =>
    links.filter(isToProducer).map(({ traceId }) => traceId),
  );
  return [...new Set(ids)].filter((id) => id !== trace.id);
}

/**
 * The services that messages joined: an edge of the type `link` from where a producer left its message to the service
 * that took it, with the age of each. Only consumers whose segment `counts` are in it; `traceOf` gives the producers'
 * traces, as far as they are there. The nodes carry no requests: those are counted in their own traces.
 */
export function linkGraph(
  trace: Trace,
  traceOf: (id: TraceId) => Trace | undefined,
  counts: (segment: Entity) => boolean,
): TraceGraph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge & { eventAgesUs: number[]; entities: Entity[] }>();
  for (const { producer, consumer, from, to } of messageLinks(trace, traceOf, counts)) {
    const [fromKey, toKey] = [nodeKey(from), nodeKey(to)];
    if (!nodes.has(fromKey)) nodes.set(fromKey, nodeWithoutRequests(from, producer));
    if (!nodes.has(toKey)) nodes.set(toKey, nodeWithoutRequests(to, consumer));
    const key = JSON.stringify([fromKey, toKey]);
    const edge = edges.get(key) ?? {
      from: fromKey,
      to: toKey,
      type: 'link',
      aliases: [],
      calls: [],
      eventAgesUs: [],
      entities: [],
    };
    edges.set(key, edge);
    edge.entities.push(consumer);
    edge.eventAgesUs.push(Math.max(0, consumer.startUs - producer.startUs));
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** Each message once for a service, though X-Ray shows a link at the function and at its subsegment alike. */
function messageLinks(
  trace: Trace,
  traceOf: (id: TraceId) => Trace | undefined,
  counts: (segment: Entity) => boolean,
): readonly MessageLink[] {
  const seen = new Set<string>();
  return [...trace.entities.values()].flatMap((consumer) => {
    const owner = trace.segmentOf.get(consumer.id);
    if (owner === undefined || !counts(owner)) return [];
    return consumer.links.filter(isToProducer).flatMap(({ traceId, id }) => {
      const producer = id === undefined ? undefined : traceOf(traceId)?.entities.get(id);
      const from = producer && producerService(producer, traceOf(traceId) as Trace);
      const key = `${owner.id} ${traceId} ${id}`;
      if (producer === undefined || from === undefined || seen.has(key)) return [];
      seen.add(key);
      return [{ producer, consumer: owner, from, to: serviceOf(owner) }];
    });
  });
}

/** X-Ray marks the direction of a link; OpenTelemetry's links always go to what was before. */
export function isToProducer({ attributes }: Link): boolean {
  return attributes['aws.xray.reserved.reference_type'] !== 'child';
}

/** Where the message lay: what the producer called, else the producer's own service. */
function producerService(producer: Entity, trace: Trace): ServiceId | undefined {
  if (isCall(producer)) {
    const [callee] = calleesOf(trace, producer);
    return callee === undefined ? calledService(producer) : serviceOf(callee);
  }
  const owner = trace.segmentOf.get(producer.id);
  return owner && serviceOf(owner);
}

/** `entity` says when; what it took is counted elsewhere. */
function nodeWithoutRequests(service: ServiceId, entity: Entity): GraphNode {
  const isInferred = isCall(entity);
  return {
    key: nodeKey(service),
    service,
    state: isInferred ? (service.type === 'remote' ? 'passive' : 'unknown') : 'active',
    isRoot: false,
    isClient: false,
    isInferred,
    responses: [],
    durationsUs: [],
    segments: [entity],
    entities: [],
  };
}
