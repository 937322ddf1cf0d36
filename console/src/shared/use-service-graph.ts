import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { getServiceGraph, toWireWindow } from './api.ts';
import { LIVE } from './live.ts';
import { type ServiceMap, toServiceMap } from './map/graph.ts';
import { nowUs, type TimeWindow, windowOf } from './time-range.ts';

export type ServiceGraphAnswer = { readonly map: ServiceMap; readonly window: TimeWindow };

/** The services of a time range and their calls, of the traces that match `filter` (all where it is empty). */
export function useServiceGraph(range: string, filter: string): UseQueryResult<ServiceGraphAnswer> {
  return useQuery({
    queryKey: ['service-graph', range, filter],
    queryFn: async ({ signal }) => {
      const window = windowOf(range, nowUs());
      const request = filter === '' ? toWireWindow(window) : { ...toWireWindow(window), FilterExpression: filter };
      const { Services } = await getServiceGraph(request, signal);
      return { map: toServiceMap(Services), window };
    },
    placeholderData: keepPreviousData,
    meta: LIVE,
  });
}
