import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { GetSpanResponse } from 'openray/api-types';
import { getSpan } from '../../shared/api.ts';
import { liveTrace } from '../../shared/live.ts';

/** A segment or subsegment as an OpenTelemetry span; fetched when a tab shows it. */
export function useSpan(traceId: string, id: string): UseQueryResult<GetSpanResponse> {
  return useQuery({
    queryKey: ['span', traceId, id],
    queryFn: ({ signal }) => getSpan({ TraceId: traceId, Id: id }, signal),
    meta: liveTrace(traceId),
  });
}
