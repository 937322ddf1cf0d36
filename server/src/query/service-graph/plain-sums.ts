import { isCall } from '../../model/entity.ts';
import type { ServiceId } from '../../model/graph.ts';
import { addCount, addDuration } from '../../model/histogram.ts';
import { type Finished, NONE, type PlainTrace } from '../../model/plain-trace.ts';
import {
  addGraph,
  addObservation,
  aliasesOf,
  newServiceEdge,
  newServiceGraph,
  newServiceNode,
  type ServiceEdgeBuilder,
  type ServiceGraphBuilder,
  type ServiceNodeBuilder,
  type Sign,
} from '../../model/service-graph.ts';
import { calledService, nodeKey, serviceOf } from '../../model/service-names.ts';
import { edgeKey } from '../../model/trace-graph.ts';
import { outcomeBit, SERVICE_KIND, type SummaryRow } from '../../store/write/summary-rows.ts';
import { MINUTE_US, type MinuteGraphs, periodEnd } from './periods.ts';

/** The columns of a summary that are the graph of its trace. */
export type GraphColumns = Pick<
  SummaryRow,
  'services' | 'serviceKinds' | 'serviceOutcomes' | 'edgeFrom' | 'edgeTo' | 'edgeOutcomes'
>;

/**
 * Adds up plain traces by minute. The sums are those of `addTrace(graph, traceGraph(trace))`; a test compares them.
 * Each service is found once per use, without a text for it, and no graph of a trace is made.
 */
export type PlainSums = {
  /** Undefined, and nothing is added, when the entities of the trace ended in several minutes. */
  add(trace: PlainTrace): GraphColumns | undefined;
  /** Subtracts what a part of the documents of a trace has added, possibly in earlier sums. */
  subtract(part: PlainTrace): void;
  /** The minutes own the sums then: call it once, after the last trace. */
  addTo(minutes: MinuteGraphs): void;
};

type Node = {
  readonly sums: ServiceNodeBuilder;
  readonly edges: Map<Node, Edge>;
  /** The trace that has the node, by its number, and what is known of the node in it. */
  trace: number;
  isRoot: boolean;
  isClient: boolean;
  /** The service sent no segment. */
  isInferred: boolean;
  state: 'active' | 'passive' | 'unknown';
  outcomes: number;
  index: number;
};

type Edge = {
  readonly from: Node;
  readonly to: Node;
  readonly sums: ServiceEdgeBuilder;
  trace: number;
  outcomes: number;
  /** Keys of the names that were counted. */
  aliases: string[];
  /** The last call that was counted. */
  call: number;
};

/** By name of the service: few have another type or account. */
type Minute = Map<string, Node[]>;

export function newPlainSums(): PlainSums {
  const minutes = new Map<number, Minute>();
  let minute: Minute = new Map();
  let traces = 0;
  /** Of the trace that is added. */
  const nodes: Node[] = [];
  const edges: Edge[] = [];

  let sign: Sign = 1;

  function count(trace: PlainTrace, by: Sign): GraphColumns | undefined {
    const { entities, root } = trace;
    sign = by;
    const endsUs = commonMinute(entities);
    if (endsUs === undefined) return undefined;
    // Before anything is added: this reads what senders wrote.
    const called = entities.map((entity) => (isCall(entity) ? calledService(entity) : undefined));
    minute = minutes.get(endsUs) ?? new Map();
    minutes.set(endsUs, minute);
    traces++;
    nodes.length = 0;
    edges.length = 0;
    const services = entities.map((entity) => (entity.kind === 'segment' ? nodeOf(serviceOf(entity)) : undefined));
    let startUs = addReported(trace, services);
    addClient(entities[root], services[root]);
    startUs = Math.min(startUs, addInferred(trace, services, called));
    addCallsToReported(trace, services, called);
    countTrace(entities[root]?.startUs ?? startUs);
    return graphColumns();
  }

  /** Returns the first start of a segment. */
  function addReported({ entities, owners, root }: PlainTrace, services: Services): number {
    const startsUs: number[] = [];
    const endsUs: number[] = [];
    for (let index = 0; index < entities.length; index++) {
      const owner = owners[index] as number;
      if (owner === NONE) continue;
      const { startUs, endUs } = entities[index] as Finished;
      startsUs[owner] = Math.min(startsUs[owner] ?? startUs, startUs);
      endsUs[owner] = Math.max(endsUs[owner] ?? endUs, endUs);
    }
    let firstUs = Number.MAX_SAFE_INTEGER;
    for (let index = 0; index < entities.length; index++) {
      const node = services[index];
      if (node === undefined) continue;
      const segment = entities[index] as Finished;
      node.state = 'active';
      node.isInferred = false;
      if (index === root) node.isRoot = true;
      observe(node, segment, sign);
      addDuration(node.sums.durations, (endsUs[index] as number) - (startsUs[index] as number), sign);
      firstUs = Math.min(firstUs, segment.startUs);
    }
    return firstUs;
  }

  function addClient(root: Finished | undefined, service: Node | undefined): void {
    if (root === undefined || service === undefined) return;
    const client = nodeOf({ ...service.sums.service, type: 'client' });
    client.isClient = true;
    client.isInferred = false;
    client.outcomes |= outcomeBit(root);
    observe(edgeOf(client, service), root, sign);
  }

  /** Returns the first start of a call. */
  function addInferred({ entities, owners, hasCallee }: PlainTrace, services: Services, called: Called): number {
    let firstUs = Number.MAX_SAFE_INTEGER;
    for (let index = 0; index < entities.length; index++) {
      const service = called[index];
      const caller = services[owners[index] as number];
      if (service === undefined || caller === undefined || hasCallee[index]) continue;
      const call = entities[index] as Finished;
      const node = nodeOf(service);
      if (node.state === 'unknown' && service.type === 'remote') node.state = 'passive';
      observe(node, call, sign);
      addDuration(node.sums.durations, call.endUs - call.startUs, sign);
      observe(edgeOf(caller, node), call, sign);
      firstUs = Math.min(firstUs, call.startUs);
    }
    return firstUs;
  }

  function addCallsToReported(trace: PlainTrace, services: Services, called: Called): void {
    const { entities, owners, hasCallee, firstChildren, nextSiblings } = trace;
    for (let index = 0; index < entities.length; index++) {
      const caller = services[owners[index] as number];
      if (caller === undefined || !hasCallee[index]) continue;
      const service = called[index];
      const alias = service && nodeKey(service);
      for (let child = firstChildren[index] as number; child !== NONE; child = nextSiblings[child] as number) {
        const callee = services[child];
        if (callee === undefined) continue;
        const edge = edgeOf(caller, callee);
        if (alias === undefined) {
          observe(edge, entities[child] as Finished, sign);
        } else if (edge.call !== index) {
          // A call with several segments of the called service below it is one call.
          edge.call = index;
          observe(edge, entities[index] as Finished, sign);
          addAlias(edge, alias, sign);
        }
      }
    }
  }

  function nodeOf(service: ServiceId): Node {
    const ofName = minute.get(service.name);
    let node = ofName?.find(({ sums }) => isSame(sums.service, service));
    if (node === undefined) {
      node = newNode(service);
      if (ofName === undefined) minute.set(service.name, [node]);
      else ofName.push(node);
    }
    if (node.trace === traces) return node;
    node.trace = traces;
    node.isRoot = false;
    node.isClient = false;
    node.isInferred = true;
    node.state = 'unknown';
    node.outcomes = 0;
    nodes.push(node);
    return node;
  }

  function edgeOf(from: Node, to: Node): Edge {
    let edge = from.edges.get(to);
    if (edge === undefined) {
      edge = newEdge(from, to);
      from.edges.set(to, edge);
    }
    if (edge.trace === traces) return edge;
    edge.trace = traces;
    edge.outcomes = 0;
    edge.aliases = [];
    edge.call = NONE;
    edges.push(edge);
    return edge;
  }

  function countTrace(startUs: number): void {
    const secondUs = Math.floor(startUs / 1e6) * 1e6;
    for (const { sums, isRoot, isClient, isInferred, state } of nodes) {
      sums.traceCount += sign;
      if (isRoot) sums.rootCount += sign;
      if (isClient) sums.clientCount += sign;
      if (isInferred) sums.inferredCount += sign;
      if (state === 'active') sums.activeCount += sign;
      if (state === 'passive') sums.passiveCount += sign;
      if (sign === -1) continue;
      sums.startUs = Math.min(sums.startUs, secondUs);
      sums.endUs = Math.max(sums.endUs, secondUs + 1e6);
    }
    for (const { sums } of edges) sums.traceCount += sign;
  }

  /** In the order of `TraceGraph`. */
  function graphColumns(): GraphColumns {
    nodes.sort((a, b) => (a.sums.key < b.sums.key ? -1 : 1));
    for (let index = 0; index < nodes.length; index++) (nodes[index] as Node).index = index;
    edges.sort((a, b) => a.from.index - b.from.index || a.to.index - b.to.index);
    return {
      services: nodes.map(({ sums }) => sums.service),
      serviceKinds: nodes.map(
        ({ isRoot, isInferred }) => (isRoot ? SERVICE_KIND.root : 0) | (isInferred ? SERVICE_KIND.inferred : 0),
      ),
      serviceOutcomes: nodes.map(({ outcomes }) => outcomes),
      edgeFrom: edges.map(({ from }) => from.index),
      edgeTo: edges.map(({ to }) => to.index),
      edgeOutcomes: edges.map(({ outcomes }) => outcomes),
    };
  }

  return {
    add: (trace) => count(trace, 1),
    subtract: (part) => void count(part, -1),
    addTo(graphs) {
      for (const [endsUs, sums] of minutes) {
        if (sums.size === 0) continue;
        const graph = graphs.get(endsUs);
        if (graph === undefined) graphs.set(endsUs, graphOf(sums));
        else addGraph(graph, graphOf(sums));
      }
    },
  };
}

/** By entity, the node of the service that it reports. */
type Services = readonly (Node | undefined)[];

/** By entity, the service that it calls. */
type Called = readonly (ServiceId | undefined)[];

/** The minute in which all ended; undefined for several or none. */
function commonMinute(entities: readonly Finished[]): number | undefined {
  let minute: number | undefined;
  for (const { endUs } of entities) {
    const own = periodEnd(endUs, MINUTE_US);
    if (minute !== undefined && own !== minute) return undefined;
    minute = own;
  }
  return minute;
}

const isSame = (a: ServiceId, b: ServiceId): boolean => a.type === b.type && a.accountId === b.accountId;

function newNode(service: ServiceId): Node {
  const sums = newServiceNode({ key: nodeKey(service), service });
  const ofTrace = {
    isRoot: false,
    isClient: false,
    isInferred: true,
    state: 'unknown' as const,
    outcomes: 0,
    index: 0,
  };
  return { sums, edges: new Map(), trace: 0, ...ofTrace };
}

function newEdge(from: Node, to: Node): Edge {
  const sums = newServiceEdge({ from: from.sums.key, to: to.sums.key, type: undefined });
  return { from, to, sums, trace: 0, outcomes: 0, aliases: [], call: NONE };
}

type Observed = {
  readonly sums: Pick<ServiceNodeBuilder, 'statistics' | 'responseTimes'>;
  outcomes: number;
};

/** Counts a request in its service, or a call in its edge. */
function observe(target: Observed, entity: Finished, sign: Sign): void {
  const { startUs, endUs, outcome } = entity;
  const durationUs = endUs - startUs;
  target.outcomes |= outcomeBit(entity);
  addObservation(target.sums.statistics, { startUs, durationUs, outcome }, sign);
  addDuration(target.sums.responseTimes, durationUs, sign);
}

function addAlias({ sums, aliases }: Edge, key: string, sign: Sign): void {
  if (aliases.includes(key)) return;
  aliases.push(key);
  addCount(aliasesOf(sums), key, sign);
}

function graphOf(minute: Minute): ServiceGraphBuilder {
  const graph = newServiceGraph();
  for (const node of [...minute.values()].flat()) {
    graph.nodes.set(node.sums.key, node.sums);
    for (const { sums } of node.edges.values()) graph.edges.set(edgeKey(sums), sums);
  }
  return graph;
}
