import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { TimeInterval } from 'openray/model';
import { getServiceGraph, toWireWindow } from './api.ts';
import { LIVE } from './live.ts';
import { type ServiceGraph, toServiceGraph } from './map/graph.ts';
import { type MissingData, missingDataOf, REFETCH_INCOMPLETE_MS } from './missing-data.ts';
import { nowUs, windowOf } from './time-range.ts';

export type LoadedServiceGraph = {
  readonly graph: ServiceGraph;
  readonly window: TimeInterval;
  readonly missing: MissingData;
};

/** Services and calls of a time range, in the traces of `group` that match `filter`; empty ones select all. */
export function useServiceGraph(range: string, filter: string, group = ''): UseQueryResult<LoadedServiceGraph> {
  return useQuery({
    queryKey: ['service-graph', range, filter, group],
    queryFn: async ({ signal }): Promise<LoadedServiceGraph> => {
      const window = windowOf(range, nowUs());
      const request = {
        ...toWireWindow(window),
        ...(filter !== '' && { FilterExpression: filter }),
        ...(group !== '' && { GroupName: group }),
      };
      const response = await getServiceGraph(request, signal);
      return { graph: toServiceGraph(response.Services), window, missing: missingDataOf(response) };
    },
    refetchInterval: ({ state }) => (state.data?.missing.isIncomplete ? REFETCH_INCOMPLETE_MS : false),
    placeholderData: keepPreviousData,
    meta: LIVE,
  });
}
