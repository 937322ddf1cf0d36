import { edgeSelector, serviceSelector } from '../../shared/filter-text.ts';
import {
  clientTraffic,
  type GraphEdge,
  type GraphSelection,
  type ServiceGraph,
  type Traffic,
} from '../../shared/map/graph.ts';
import { nodeTypeLabel, shortNodeName } from '../../shared/node-type.ts';

/** Details of a node or an edge, as the panel shows them. */
export type SelectionDetails = {
  readonly title: string;
  readonly subtitle: string;
  /** The type of the node, or of the node that the edge leads to. */
  readonly type: string | null;
  /** The selector of the node or edge in filter expressions and time series. */
  readonly selector: string;
  /** An edge of messages: `traffic.times` are their ages. */
  readonly isLink: boolean;
  readonly traffic: Traffic;
  /** Edges of a node, with their traffic; the two ends of an edge, without. */
  readonly neighbours: readonly {
    readonly selection: GraphSelection;
    readonly text: string;
    readonly traffic?: Traffic;
  }[];
};

/** Undefined when the graph does not have it, for example after a change of the time range. */
export function detailsOf(graph: ServiceGraph, { kind, key }: GraphSelection): SelectionDetails | undefined {
  return kind === 'node' ? nodeDetails(graph, key) : edgeDetails(graph, key);
}

function nodeDetails(graph: ServiceGraph, key: string): SelectionDetails | undefined {
  const node = graph.nodes.find((candidate) => candidate.key === key);
  if (!node) return undefined;
  const kinds = [
    nodeTypeLabel(node.type),
    node.isRoot ? 'entry point' : '',
    node.isInferred ? 'inferred from its callers' : '',
  ];
  const towards = (edge: GraphEdge, other: string, arrow: string) => ({
    selection: { kind: 'edge' as const, key: edge.key },
    text: `${arrow} ${labelOf(graph, other)}`,
    traffic: edge.traffic,
  });
  return {
    title: node.isClient ? `Client of ${node.name}` : shortNodeName(node.name, node.type),
    subtitle: kinds.filter((part) => part !== '').join(', '),
    type: node.type,
    selector: serviceSelector(node),
    isLink: false,
    traffic: node.isClient ? clientTraffic(graph, key) : node.traffic,
    neighbours: [
      ...graph.edges.filter(({ to }) => to === key).map((edge) => towards(edge, edge.from, 'from')),
      ...graph.edges.filter(({ from }) => from === key).map((edge) => towards(edge, edge.to, 'to')),
    ],
  };
}

function edgeDetails(graph: ServiceGraph, key: string): SelectionDetails | undefined {
  const edge = graph.edges.find((candidate) => candidate.key === key);
  const from = graph.nodes.find((node) => node.key === edge?.from);
  const to = graph.nodes.find((node) => node.key === edge?.to);
  if (!edge || !from || !to) return undefined;
  return {
    title: `${labelOf(graph, from.key)} → ${labelOf(graph, to.key)}`,
    subtitle: edge.isLink ? 'Messages: the consumer has a trace of its own' : 'Calls, as the caller measured them',
    type: to.type,
    // Producer and consumer of a message are in different traces: an edge selector matches no trace.
    selector: edge.isLink ? serviceSelector(to) : edgeSelector(from, to),
    isLink: edge.isLink,
    traffic: edge.traffic,
    neighbours: [from, to].map((node) => ({
      selection: { kind: 'node', key: node.key },
      text: `${labelOf(graph, node.key)} (${nodeTypeLabel(node.type)})`,
    })),
  };
}

function labelOf(graph: ServiceGraph, key: string): string {
  const node = graph.nodes.find((candidate) => candidate.key === key);
  if (!node) return key;
  return node.isClient ? 'Client' : shortNodeName(node.name, node.type);
}
