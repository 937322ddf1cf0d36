import type { FilterSubject } from '../../../../filter/subject.ts';
import { graphEndedIn } from '../../../../model/graph.ts';
import { type ServiceGraph, serviceGraph } from '../../../../model/service-graph.ts';
import { linkGraph } from '../../../../model/trace-links.ts';
import type { TimeWindow } from '../../../time-interval.ts';
import { endedIn } from '../../../traces/sort-key.ts';

/** The map that the traces `counted` have together, looked at one by one; `all` are those that links may lead to. */
export function referenceServiceGraph(
  counted: readonly FilterSubject[],
  all: readonly FilterSubject[],
  window: TimeWindow,
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
