import { formatCount, formatDuration, formatRate, formatShare } from '../format.ts';
import { nodeTypeLabel } from '../node-type.ts';
import type { MapEdge, MapNode, ServiceMap, Traffic } from './graph.ts';

/** The line below a latency: a rate where the window is known, else how many requests there were. */
export function volumeText(traffic: Traffic, windowMinutes: number | undefined): string {
  if (windowMinutes !== undefined) return formatRate(traffic.total / windowMinutes);
  return `${formatCount(traffic.total)} ${traffic.total === 1 ? 'request' : 'requests'}`;
}

/** A node as a screen reader says it. */
export function describeNode(node: MapNode, windowMinutes: number | undefined): string {
  return `${nodeTypeLabel(node.type)} ${node.name}${node.isClient ? '' : `, ${describeTraffic(node.traffic, windowMinutes)}`}`;
}

/** An edge as a screen reader says it. */
export function describeEdge(edge: MapEdge, map: ServiceMap, windowMinutes: number | undefined): string {
  const name = (key: string) => map.nodes.find((node) => node.key === key)?.name ?? key;
  return `${name(edge.from)} to ${name(edge.to)}, ${describeTraffic(edge.traffic, windowMinutes)}`;
}

function describeTraffic(traffic: Traffic, windowMinutes: number | undefined): string {
  const { counts, total } = traffic;
  const bad = (['fault', 'error', 'throttle'] as const)
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${formatShare(counts[outcome], total)} ${outcome}s`);
  return [`average ${formatDuration(traffic.averageUs)}`, volumeText(traffic, windowMinutes), ...bad].join(', ');
}
