import {
  type InfiniteData,
  keepPreviousData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
} from '@tanstack/react-query';
import type { GetTraceSummariesResponse } from 'openray/api-types';
import { type ApiResponse, getTraceSummaries, wireWindow } from '../../shared/api.ts';
import { LIVE } from '../../shared/live.ts';
import { REFETCH_INCOMPLETE_MS } from '../../shared/missing-data.ts';

type Page = {
  readonly response: ApiResponse<GetTraceSummariesResponse>;
  readonly window: ReturnType<typeof wireWindow>;
};
/** A token is valid only with the window of the page that returned it. */
type PageParam = { readonly token: string; readonly window: ReturnType<typeof wireWindow> } | undefined;

/** With more pages than this, stored traces do not refresh the list: its rows would move while the user reads them. */
const MAX_LIVE_PAGES = 3;

/** Traces of a time range and a group (all if it is empty) that match `filter`, newest first, a page at a time. */
export function useTraceSummaries(
  range: string,
  filter: string,
  group: string,
  loadedPages: number,
): UseInfiniteQueryResult<InfiniteData<Page>> {
  return useInfiniteQuery({
    queryKey: ['trace-summaries', range, filter, group],
    initialPageParam: undefined as PageParam,
    queryFn: async ({ pageParam, signal }): Promise<Page> => {
      const window = pageParam?.window ?? wireWindow(range);
      const response = await getTraceSummaries(
        {
          ...window,
          ...(filter === '' ? {} : { FilterExpression: filter }),
          ...(group === '' ? {} : { GroupName: group }),
          ...(pageParam ? { NextToken: pageParam.token } : {}),
        },
        signal,
      );
      return { response, window };
    },
    getNextPageParam: ({ response, window }): PageParam =>
      response.NextToken ? { token: response.NextToken, window } : undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ response }) => response.IsIncomplete) ? REFETCH_INCOMPLETE_MS : false,
    placeholderData: keepPreviousData,
    meta: loadedPages <= MAX_LIVE_PAGES ? LIVE : {},
  });
}
