import { formatCount, formatDuration, formatRate, formatShare } from '../format.ts';
import { nodeTypeLabel } from '../node-type.ts';
import type { GraphEdge, GraphNode, ServiceGraph, Traffic } from './graph.ts';

/** The line below a latency: a rate if the length of the interval is known, else a number of requests or messages. */
export function volumeText(
  { total }: Traffic,
  windowMinutes: number | undefined,
  unit: 'request' | 'message' = 'request',
): string {
  if (windowMinutes !== undefined) return formatRate(total / windowMinutes);
  return `${formatCount(total)} ${total === 1 ? unit : `${unit}s`}`;
}

/** The API has whole milliseconds: 0 means less than one. */
export function latencyText({ averageUs }: Traffic): string {
  return averageUs === 0 ? '<1 ms' : formatDuration(averageUs);
}

/** The text of a node for screen readers. */
export function describeNode(node: GraphNode, windowMinutes: number | undefined): string {
  return `${nodeTypeLabel(node.type)} ${node.name}${node.isClient ? '' : `, ${describeTraffic(node.traffic, windowMinutes)}`}`;
}

/** The text of an edge for screen readers. */
export function describeEdge(edge: GraphEdge, graph: ServiceGraph, windowMinutes: number | undefined): string {
  const name = (key: string) => graph.nodes.find((node) => node.key === key)?.name ?? key;
  const ends = `${name(edge.from)} to ${name(edge.to)}`;
  if (!edge.isLink) return `${ends}, ${describeTraffic(edge.traffic, windowMinutes)}`;
  return `Messages from ${ends}, average age ${latencyText(edge.traffic)}, ${volumeText(edge.traffic, windowMinutes, 'message')}`;
}

function describeTraffic(traffic: Traffic, windowMinutes: number | undefined): string {
  const { counts, total } = traffic;
  const bad = (['fault', 'error', 'throttle'] as const)
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${formatShare(counts[outcome], total)} ${outcome}s`);
  return [`average ${latencyText(traffic)}`, volumeText(traffic, windowMinutes), ...bad].join(', ');
}
