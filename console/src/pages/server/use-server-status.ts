import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { getServerStatus } from '../../shared/api.ts';
import { type Samples, withSample } from './samples.ts';

const EVERY_MS = 2000;
const KEY = ['server-status'];

/** The counters now and in the last minutes, as long as somebody looks; read once while `isLive` is off. */
export function useServerStatus(isLive: boolean): UseQueryResult<Samples> {
  const queries = useQueryClient();
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => withSample(queries.getQueryData<Samples>(KEY) ?? [], await getServerStatus(signal)),
    refetchInterval: isLive ? EVERY_MS : false,
    structuralSharing: false,
  });
}
