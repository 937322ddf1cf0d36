import type { Entity, Link } from './entity.ts';
import { isCall } from './entity.ts';
import type { GraphEdge, GraphNode, ServiceId, TraceGraph } from './graph.ts';
import { calleesOf } from './inferred.ts';
import { calledService, nodeKey, serviceOf } from './service-names.ts';
import type { Trace } from './trace.ts';
import type { TraceId } from './trace-id.ts';

/** A message that an entity of one trace sent and an entity of another received. */
type MessageLink = {
  readonly producer: Entity;
  readonly consumer: Entity;
  readonly from: ServiceId;
  readonly to: ServiceId;
};

/** Ids of the traces with the producers of the messages that this trace received, each once. */
export function linkedTraceIds(trace: Trace): readonly TraceId[] {
  const ids = [...trace.entities.values()].flatMap(({ links }) =>
    links.filter(isToProducer).map(({ traceId }) => traceId),
  );
  return [...new Set(ids)].filter((id) => id !== trace.id);
}

/**
 * The services that messages connect: edges of the type `link` lead from the service to which a producer sent its
 * message to the service that received it, with the age of each message. Only consumers whose segment `isIncluded` are
 * in it. `traceOf` gives the traces of producers; a trace that it lacks is omitted. Nodes have no requests: those are
 * counted in their own traces.
 */
export function linkGraph(
  trace: Trace,
  traceOf: (id: TraceId) => Trace | undefined,
  isIncluded: (segment: Entity) => boolean,
): TraceGraph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge & { eventAgesUs: number[]; entities: Entity[] }>();
  for (const { producer, consumer, from, to } of messageLinks(trace, traceOf, isIncluded)) {
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

/** Each message once per service, although X-Ray shows a link both at the function and at its subsegment. */
function messageLinks(
  trace: Trace,
  traceOf: (id: TraceId) => Trace | undefined,
  isIncluded: (segment: Entity) => boolean,
): readonly MessageLink[] {
  const seen = new Set<string>();
  return [...trace.entities.values()].flatMap((consumer) => {
    const owner = trace.segmentOf.get(consumer.id);
    if (owner === undefined || !isIncluded(owner)) return [];
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

/** X-Ray marks the direction of a link. OpenTelemetry's links always lead to the producer. */
export function isToProducer({ attributes }: Link): boolean {
  return attributes['aws.xray.reserved.reference_type'] !== 'child';
}

/** The service that held the message: the one that the producer called, else the producer's own service. */
function producerService(producer: Entity, trace: Trace): ServiceId | undefined {
  if (isCall(producer)) {
    const [callee] = calleesOf(trace, producer);
    return callee === undefined ? calledService(producer) : serviceOf(callee);
  }
  const owner = trace.segmentOf.get(producer.id);
  return owner && serviceOf(owner);
}

/** `entity` gives the node its time only: its requests are counted in its own trace. */
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
