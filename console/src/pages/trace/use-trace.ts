import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { WireTraceSummary } from 'openray/api-types';
import { ApiFailure, batchGetTraces, getTraceGraph, getTraceSummaries, toWireWindow } from '../../shared/api.ts';
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

/** The trace's line of the list, for its root causes: looked up by its start, which is where the list has it. */
export function useTraceSummary(tree: TraceTree | undefined): UseQueryResult<WireTraceSummary | null> {
  return useQuery({
    queryKey: ['trace-summary', tree?.id, tree?.startUs, tree?.endUs, tree?.byId.size],
    queryFn: async ({ signal }) => {
      if (!tree) return null;
      let token: string | null = null;
      for (let page = 0; page < 5; page += 1) {
        const window = toWireWindow({ fromUs: tree.startUs - 1_000_000, toUs: tree.startUs + 1_000_000 });
        const answer = await getTraceSummaries({ ...window, ...(token ? { NextToken: token } : {}) }, signal);
        const found = answer.TraceSummaries.find(({ Id }) => Id === tree.id);
        if (found) return found;
        token = answer.NextToken;
        if (!token) return null;
      }
      return null;
    },
    enabled: tree !== undefined && tree.byId.size > 0,
  });
}
