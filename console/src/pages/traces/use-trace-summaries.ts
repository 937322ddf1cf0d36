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
/** A token belongs to the window it was given for, so both travel together. */
type PageParam = { readonly token: string; readonly window: ReturnType<typeof wireWindow> } | undefined;

/** More pages than this are not read anew each time that something arrives; the reader would lose the place. */
const MAX_LIVE_PAGES = 3;

/** Traces of the range and the group (all where it is empty) that match, newest first as the server sends them, a page at a time. */
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
      const answer = await getTraceSummaries(
        {
          ...window,
          ...(filter === '' ? {} : { FilterExpression: filter }),
          ...(group === '' ? {} : { GroupName: group }),
          ...(pageParam ? { NextToken: pageParam.token } : {}),
        },
        signal,
      );
      return { response: answer, window };
    },
    getNextPageParam: ({ response: answer, window }): PageParam =>
      answer.NextToken ? { token: answer.NextToken, window } : undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ response: answer }) => answer.IsIncomplete) ? REFETCH_INCOMPLETE_MS : false,
    placeholderData: keepPreviousData,
    meta: loadedPages <= MAX_LIVE_PAGES ? LIVE : {},
  });
}
