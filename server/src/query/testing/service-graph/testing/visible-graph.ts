import { type ServiceGraph, stateOf } from '../../../../model/service-graph.ts';

/**
 * What users see of a graph, to compare: that a service was a root or a client, not in how many traces it was. Bounds
 * are left out, as they only ever widen.
 */
export function visibleGraph({ nodes, edges }: ServiceGraph) {
  const sorted = <T>(entries: Iterable<[string, T]>) => new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    nodes: sorted(
      Array.from(nodes, ([key, node]) => {
        const { service, statistics, responseTimes, durations } = node;
        const isInferred = node.inferredCount === node.traceCount;
        const flags = { state: stateOf(node), isRoot: node.rootCount > 0, isClient: node.clientCount > 0, isInferred };
        return [key, { service, statistics, responseTimes, durations, ...flags }];
      }),
    ),
    edges: sorted(
      Array.from(edges, ([key, { from, to, type, statistics, responseTimes, eventAges, aliases }]) => {
        return [key, { from, to, type, statistics, responseTimes, eventAges, aliases: [...aliases.keys()].sort() }];
      }),
    ),
  };
}
