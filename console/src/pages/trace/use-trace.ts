import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { WireTraceSummary } from 'openray/api-types';
import { ApiFailure, batchGetTraces, getTraceGraph, getTraceSummary } from '../../shared/api.ts';
import { liveTrace } from '../../shared/live.ts';
import { type ServiceGraph, toServiceGraph } from '../../shared/map/graph.ts';
import { type MissingData, missingDataOf, REFETCH_INCOMPLETE_MS } from '../../shared/missing-data.ts';
import { readTrace, type TraceTree } from './entities.ts';

export type LoadedTrace = { readonly tree: TraceTree; readonly missing: MissingData };

/**
 * A trace with all that has arrived of it. Fails with `TraceNotFound` when nothing has, with `TraceOutOfReach` when that
 * can not be known.
 */
export function useTrace(id: string): UseQueryResult<LoadedTrace> {
  return useQuery({
    queryKey: ['trace', id],
    queryFn: async ({ signal }): Promise<LoadedTrace> => {
      const { Traces, IsIncomplete } = await batchGetTraces({ TraceIds: [id] }, signal);
      const trace = Traces[0];
      if (trace) return { tree: readTrace(trace), missing: missingDataOf({ ...trace, IsIncomplete }) };
      throw IsIncomplete
        ? new ApiFailure('TraceOutOfReach', 503, 'A part of the store can not be reached; the trace may be there.')
        : new ApiFailure('TraceNotFound', 404, `Nothing was received of trace ${id}.`);
    },
    refetchInterval: ({ state: { data, error } }) =>
      data?.missing.isIncomplete || (error instanceof ApiFailure && error.code === 'TraceOutOfReach')
        ? REFETCH_INCOMPLETE_MS
        : false,
    // The tree is rebuilt only when the documents changed; comparing it deeply would cost more than drawing it.
    structuralSharing: false,
    meta: liveTrace(id),
  });
}

/** The services of the one trace. */
export function useTraceGraph(id: string, isWanted: boolean): UseQueryResult<ServiceGraph> {
  return useQuery({
    queryKey: ['trace-graph', id],
    queryFn: async ({ signal }) => toServiceGraph((await getTraceGraph({ TraceIds: [id] }, signal)).Services),
    enabled: isWanted,
    meta: liveTrace(id),
  });
}

/** The summary of the one trace, for its root causes. */
export function useTraceSummary(id: string, isWanted: boolean): UseQueryResult<WireTraceSummary> {
  return useQuery({
    queryKey: ['trace-summary', id],
    queryFn: async ({ signal }) => (await getTraceSummary({ TraceId: id }, signal)).TraceSummary,
    enabled: isWanted,
    meta: liveTrace(id),
  });
}
