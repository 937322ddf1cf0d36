import { type ServiceGraph, stateOf } from '../../../model/service-graph.ts';

/**
 * The part of a graph that users see, for comparison: whether a service was a root or a client, and not in how many
 * traces. Without start and end of services, since the roll-up only widens them.
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
