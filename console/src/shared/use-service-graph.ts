import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { getServiceGraph, toWireWindow } from './api.ts';
import { LIVE } from './live.ts';
import { type ServiceMap, toServiceMap } from './map/graph.ts';
import { ASK_AGAIN_MS, type Gaps, gapsOf } from './missing-data.ts';
import { nowUs, type TimeWindow, windowOf } from './time-range.ts';

export type ServiceGraphAnswer = { readonly map: ServiceMap; readonly window: TimeWindow; readonly gaps: Gaps };

/**
 * The services of a time range and their calls, of the traces of `group` that match `filter` (all where they are empty).
 */
export function useServiceGraph(range: string, filter: string, group = ''): UseQueryResult<ServiceGraphAnswer> {
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
      return { map: toServiceMap(answer.Services), window, gaps: gapsOf(answer) };
    },
    refetchInterval: ({ state }) => (state.data?.gaps.isIncomplete ? ASK_AGAIN_MS : false),
    placeholderData: keepPreviousData,
    meta: LIVE,
  });
}
