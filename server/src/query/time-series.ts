import { type EntitySelector, selectsEdge, selectsNode } from '../filter/entity-selector.ts';
import type { Observation, TraceGraph } from '../model/graph.ts';
import { addTo, type Histogram } from '../model/histogram.ts';
import { type Statistics, statisticsOf } from '../model/service-graph.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { tracesEndingIn } from './service-graph.ts';
import type { TimeWindow } from './window.ts';

/** What ended in (endUs - period, endUs]. */
export type SeriesPoint = {
  readonly endUs: number;
  readonly statistics: Statistics;
  readonly responseTimes: Histogram;
};

export type SeriesQuery = {
  readonly window: TimeWindow;
  readonly periodUs: number;
  /** Without one: all calls that clients make. */
  readonly selector: EntitySelector | undefined;
};

/** Points whose end lies in the window, newest first; a period in which nothing ended has none. */
export async function serviceTimeSeries(
  store: Store,
  { window, periodUs, selector }: SeriesQuery,
  options: QueryOptions = {},
): Promise<readonly SeriesPoint[]> {
  const firstEndUs = Math.ceil(window.fromUs / periodUs) * periodUs;
  const lastEndUs = Math.ceil(window.toUs / periodUs) * periodUs - periodUs;
  const covered = { fromUs: firstEndUs - periodUs + 1, toUs: lastEndUs + 1 };
  const observations = new Map<number, Observation[]>();
  for await (const graphs of tracesEndingIn(store, covered, undefined, options)) {
    for (const observation of graphs.flatMap((graph) => selectedOf(graph, selector))) {
      const endUs = Math.ceil((observation.startUs + observation.durationUs) / periodUs) * periodUs;
      if (endUs < firstEndUs || endUs > lastEndUs) continue;
      const ofPeriod = observations.get(endUs) ?? [];
      observations.set(endUs, ofPeriod);
      ofPeriod.push(observation);
    }
  }
  return [...observations].sort(([a], [b]) => b - a).map(([endUs, ofPeriod]) => toPoint(endUs, ofPeriod));
}

function toPoint(endUs: number, observations: readonly Observation[]): SeriesPoint {
  const responseTimes = new Map<number, number>();
  for (const { durationUs } of observations) addTo(responseTimes, durationUs);
  return { endUs, statistics: statisticsOf(observations), responseTimes };
}

function selectedOf(graph: TraceGraph, selector: EntitySelector | undefined): readonly Observation[] {
  if (selector?.kind === 'service') {
    return graph.nodes.filter((node) => selectsNode(selector, node.service)).flatMap(({ responses }) => responses);
  }
  const nodes = new Map(graph.nodes.map((node) => [node.key, node]));
  return graph.edges.flatMap(({ from, to, calls }) => {
    const [caller, called] = [nodes.get(from), nodes.get(to)];
    if (caller === undefined || called === undefined) return [];
    const isSelected = selector === undefined ? caller.isClient : selectsEdge(selector, caller.service, called.service);
    return isSelected ? calls : [];
  });
}
