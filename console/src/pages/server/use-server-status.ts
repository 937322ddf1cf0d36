import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { getServerStatus } from '../../shared/api.ts';
import { type Samples, withSample } from './samples.ts';

const EVERY_MS = 2000;
const KEY = ['server-status'];

/** Counters of now and of the last five minutes; polled while the page is open, or fetched once without `isLive`. */
export function useServerStatus(isLive: boolean): UseQueryResult<Samples> {
  const queries = useQueryClient();
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => withSample(queries.getQueryData<Samples>(KEY) ?? [], await getServerStatus(signal)),
    refetchInterval: isLive ? EVERY_MS : false,
    structuralSharing: false,
  });
}
