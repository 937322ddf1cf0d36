import type { FilterSubject } from '../../../filter/subject.ts';
import { graphEndedIn } from '../../../model/graph.ts';
import { type ServiceGraph, serviceGraph } from '../../../model/service-graph.ts';
import { endedIn, type TimeInterval } from '../../../model/time-interval.ts';
import { linkGraph } from '../../../model/trace-links.ts';

/**
 * Reference implementation: the graph of the traces `counted`, one by one. `all` also contains the targets of links.
 */
export function referenceServiceGraph(
  counted: readonly FilterSubject[],
  all: readonly FilterSubject[],
  window: TimeInterval,
): ServiceGraph {
  const traces = new Map(all.map(({ trace }) => [trace.id, trace]));
  return serviceGraph(
    counted.flatMap(({ trace, graph }) => [
      graphEndedIn(graph, window),
      linkGraph(
        trace,
        (id) => traces.get(id),
        (segment) => endedIn(window, segment),
      ),
    ]),
  );
}
