import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { getServiceGraph, toWireWindow } from './api.ts';
import { LIVE } from './live.ts';
import { type ServiceGraph, toServiceGraph } from './map/graph.ts';
import { type MissingData, missingDataOf, REFETCH_INCOMPLETE_MS } from './missing-data.ts';
import { nowUs, type TimeWindow, windowOf } from './time-range.ts';

export type LoadedServiceGraph = {
  readonly graph: ServiceGraph;
  readonly window: TimeWindow;
  readonly missing: MissingData;
};

/**
 * The services of a time range and their calls, of the traces of `group` that match `filter` (all where they are empty).
 */
export function useServiceGraph(range: string, filter: string, group = ''): UseQueryResult<LoadedServiceGraph> {
  return useQuery({
    queryKey: ['service-graph', range, filter, group],
    queryFn: async ({ signal }) => {
      const window = windowOf(range, nowUs());
      const request = {
        ...toWireWindow(window),
        ...(filter !== '' && { FilterExpression: filter }),
        ...(group !== '' && { GroupName: group }),
      };
      const answer = await getServiceGraph(request, signal);
      return { graph: toServiceGraph(answer.Services), window, missing: missingDataOf(answer) };
    },
    refetchInterval: ({ state }) => (state.data?.missing.isIncomplete ? REFETCH_INCOMPLETE_MS : false),
    placeholderData: keepPreviousData,
    meta: LIVE,
  });
}
