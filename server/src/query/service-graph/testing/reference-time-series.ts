import { selectsEdge, selectsNode } from '../../../filter/entity-selector.ts';
import type { Observation, TraceGraph } from '../../../model/graph.ts';
import { addDuration, type HistogramBuilder } from '../../../model/histogram.ts';
import { addObservation, newStatistics } from '../../../model/service-graph.ts';
import type { SeriesPoint, SeriesQuery } from '../time-series.ts';

/** Reference implementation: the series of all traces, one by one. */
export function referenceTimeSeries(
  graphs: readonly TraceGraph[],
  { window, periodUs, selector }: SeriesQuery,
): readonly SeriesPoint[] {
  const observations = graphs.flatMap(({ nodes, edges }): readonly Observation[] => {
    const services = new Map(nodes.map((node) => [node.key, node.service]));
    const ofNodes = nodes.filter(({ service }) => selector !== undefined && selectsNode(selector, service));
    const ofEdges = edges.filter(({ from, to }) => {
      const [caller, called] = [services.get(from), services.get(to)];
      if (caller === undefined || called === undefined) return false;
      return selector === undefined ? caller.type === 'client' : selectsEdge(selector, caller, called);
    });
    return [...ofNodes.flatMap(({ responses }) => responses), ...ofEdges.flatMap(({ calls }) => calls)];
  });
  const points: SeriesPoint[] = [];
  const first = Math.ceil(window.fromUs / periodUs) * periodUs;
  for (let endUs = first; endUs < window.toUs; endUs += periodUs) {
    const ended = observations.filter(({ startUs, durationUs }) => {
      return startUs + durationUs > endUs - periodUs && startUs + durationUs <= endUs;
    });
    if (ended.length === 0) continue;
    const statistics = newStatistics();
    const responseTimes: HistogramBuilder = new Map();
    for (const observation of ended) {
      addObservation(statistics, observation, 1);
      addDuration(responseTimes, observation.durationUs);
    }
    points.unshift({ endUs, statistics, responseTimes });
  }
  return points;
}
