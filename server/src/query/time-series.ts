import type { EntitySelector } from '../filter/entity-selector.ts';
import { selectsEdge, selectsNode } from '../filter/entity-selector.ts';
import type { Observation, TraceGraph } from '../model/graph.ts';
import { addObservation, emptyStatistics, type MeasuredStatistics } from '../model/service-graph.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { tracesEndingIn } from './service-graph.ts';
import type { TimeWindow } from './window.ts';

export type SeriesPoint = MeasuredStatistics & { readonly endUs: number };

export type SeriesQuery = {
  readonly window: TimeWindow;
  readonly periodUs: number;
  /** Without one: all calls that clients make. */
  readonly selector: EntitySelector | undefined;
};

/**
 * Statistics by period, newest first. The period that ends at t covers (t - period, t]; points lie within the window,
 * and a period in which nothing ended has none.
 */
export async function serviceTimeSeries(
  store: Store,
  { window, periodUs, selector }: SeriesQuery,
  options: QueryOptions = {},
): Promise<readonly SeriesPoint[]> {
  const points = new Map<number, MeasuredStatistics>();
  const firstEndUs = Math.ceil(window.fromUs / periodUs) * periodUs;
  const covered = { fromUs: firstEndUs - periodUs + 1, toUs: window.toUs };
  for await (const graph of tracesEndingIn(store, covered, undefined, options)) {
    for (const observation of selectedOf(graph, selector)) {
      const endUs = Math.ceil((observation.startUs + observation.durationUs) / periodUs) * periodUs;
      if (endUs < window.fromUs || endUs >= window.toUs) continue;
      const point = points.get(endUs) ?? emptyStatistics();
      points.set(endUs, point);
      addObservation(point, observation);
    }
  }
  return [...points].sort(([a], [b]) => b - a).map(([endUs, point]) => ({ endUs, ...point }));
}

function selectedOf(graph: TraceGraph, selector: EntitySelector | undefined): readonly Observation[] {
  if (selector?.kind === 'service') {
    return graph.nodes.filter((node) => selectsNode(selector, node)).flatMap(({ responses }) => responses);
  }
  const nodes = new Map(graph.nodes.map((node) => [node.key, node]));
  return graph.edges
    .filter((edge) => {
      const from = nodes.get(edge.from);
      const to = nodes.get(edge.to);
      if (from === undefined || to === undefined) return false;
      return selector === undefined ? from.isClient : selectsEdge(selector, from, to);
    })
    .flatMap(({ calls }) => calls);
}
