import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { WireGroup } from 'openray/api-types';
import { getGroups } from './api.ts';

const FRESH_MS = 30_000;

/** All groups, `Default` first. They are fetched again after FRESH_MS, since other clients may change them. */
export function useGroups(): UseQueryResult<readonly WireGroup[]> {
  return useQuery({
    queryKey: ['groups'],
    queryFn: async ({ signal }) => (await getGroups(signal)).Groups,
    staleTime: FRESH_MS,
  });
}
