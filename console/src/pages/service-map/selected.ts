import { edgeSelector, serviceSelector } from '../../shared/filter-text.ts';
import {
  clientTraffic,
  type GraphEdge,
  type GraphSelection,
  type ServiceGraph,
  type Traffic,
} from '../../shared/map/graph.ts';
import { nodeTypeLabel, shortNodeName } from '../../shared/node-type.ts';

/** What the panel shows of a node or an edge. */
export type Selected = {
  readonly title: string;
  readonly subtitle: string;
  /** The type of the node, or of what the edge leads to. */
  readonly type: string | null;
  /** The selector that the filter language and the time series know it by. */
  readonly selector: string;
  /** An edge of messages: its traffic are their ages. */
  readonly isLink: boolean;
  readonly traffic: Traffic;
  /** Edges of a node, with their traffic; the two ends of an edge, without. */
  readonly neighbours: readonly {
    readonly selection: GraphSelection;
    readonly text: string;
    readonly traffic?: Traffic;
  }[];
};

/** Undefined when the map does not have it, such as after the time range was changed. */
export function detailsOf(map: ServiceGraph, { kind, key }: GraphSelection): Selected | undefined {
  return kind === 'node' ? selectedNode(map, key) : selectedEdge(map, key);
}

function selectedNode(map: ServiceGraph, key: string): Selected | undefined {
  const node = map.nodes.find((candidate) => candidate.key === key);
  if (!node) return undefined;
  const kinds = [
    nodeTypeLabel(node.type),
    node.isRoot ? 'entry point' : '',
    node.isInferred ? 'known from its callers' : '',
  ];
  const towards = (edge: GraphEdge, other: string, arrow: string) => ({
    selection: { kind: 'edge' as const, key: edge.key },
    text: `${arrow} ${labelOf(map, other)}`,
    traffic: edge.traffic,
  });
  return {
    title: node.isClient ? `Client of ${node.name}` : shortNodeName(node.name, node.type),
    subtitle: kinds.filter((part) => part !== '').join(', '),
    type: node.type,
    selector: serviceSelector(node),
    isLink: false,
    traffic: node.isClient ? clientTraffic(map, key) : node.traffic,
    neighbours: [
      ...map.edges.filter(({ to }) => to === key).map((edge) => towards(edge, edge.from, 'from')),
      ...map.edges.filter(({ from }) => from === key).map((edge) => towards(edge, edge.to, 'to')),
    ],
  };
}

function selectedEdge(map: ServiceGraph, key: string): Selected | undefined {
  const edge = map.edges.find((candidate) => candidate.key === key);
  const from = map.nodes.find((node) => node.key === edge?.from);
  const to = map.nodes.find((node) => node.key === edge?.to);
  if (!edge || !from || !to) return undefined;
  return {
    title: `${labelOf(map, from.key)} → ${labelOf(map, to.key)}`,
    subtitle: edge.isLink ? 'Messages: the consumer has a trace of its own' : 'Calls, as the caller saw them',
    type: to.type,
    // No trace has both ends of a message.
    selector: edge.isLink ? serviceSelector(to) : edgeSelector(from, to),
    isLink: edge.isLink,
    traffic: edge.traffic,
    neighbours: [from, to].map((node) => ({
      selection: { kind: 'node', key: node.key },
      text: `${labelOf(map, node.key)} (${nodeTypeLabel(node.type)})`,
    })),
  };
}

function labelOf(map: ServiceGraph, key: string): string {
  const node = map.nodes.find((candidate) => candidate.key === key);
  if (!node) return key;
  return node.isClient ? 'Client' : shortNodeName(node.name, node.type);
}
