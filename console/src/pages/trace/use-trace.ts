import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { WireTraceSummary } from 'openray/api-types';
import { ApiFailure, batchGetTraces, getTraceGraph, getTraceSummary } from '../../shared/api.ts';
import { liveTrace } from '../../shared/live.ts';
import { type ServiceGraph, toServiceGraph } from '../../shared/map/graph.ts';
import { type MissingData, missingDataOf, REFETCH_INCOMPLETE_MS } from '../../shared/missing-data.ts';
import { type ClockSkewNotice, clockSkewNotices } from './clock-skews.ts';
import { readTrace, type TraceTree } from './entities.ts';

export type LoadedTrace = {
  readonly tree: TraceTree;
  readonly missing: MissingData;
  readonly clockSkews: readonly ClockSkewNotice[];
};

/**
 * A trace with all of its received documents. Without any it fails: with `ShardUnreachable` while a shard cannot be
 * reached, since it may hold the trace; else with `TraceNotFound`.
 */
export function useTrace(id: string): UseQueryResult<LoadedTrace> {
  return useQuery({
    queryKey: ['trace', id],
    queryFn: async ({ signal }): Promise<LoadedTrace> => {
      const { Traces, IsIncomplete, IsDamaged } = await batchGetTraces({ TraceIds: [id] }, signal);
      const trace = Traces[0];
      if (trace) {
        const tree = readTrace(trace);
        const missing = missingDataOf({ ...trace, IsIncomplete, IsDamaged });
        return { tree, missing, clockSkews: clockSkewNotices(trace, tree) };
      }
      throw IsIncomplete
        ? new ApiFailure('ShardUnreachable', 503, 'A part of the store cannot be read now; it may hold the trace.')
        : new ApiFailure('TraceNotFound', 404, `No document of trace ${id} was received.`);
    },
    refetchInterval: ({ state: { data, error } }) =>
      data?.missing.isIncomplete || (error instanceof ApiFailure && error.code === 'ShardUnreachable')
        ? REFETCH_INCOMPLETE_MS
        : false,
    // No deep comparison with the tree before: it would cost more than drawing the new tree.
    structuralSharing: false,
    meta: liveTrace(id),
  });
}

/** The service graph of one trace. */
export function useTraceGraph(id: string, isWanted: boolean): UseQueryResult<ServiceGraph> {
  return useQuery({
    queryKey: ['trace-graph', id],
    queryFn: async ({ signal }) => toServiceGraph((await getTraceGraph({ TraceIds: [id] }, signal)).Services),
    enabled: isWanted,
    meta: liveTrace(id),
  });
}

/** The summary of one trace, for its root causes. */
export function useTraceSummary(id: string, isWanted: boolean): UseQueryResult<WireTraceSummary> {
  return useQuery({
    queryKey: ['trace-summary', id],
    queryFn: async ({ signal }) => (await getTraceSummary({ TraceId: id }, signal)).TraceSummary,
    enabled: isWanted,
    meta: liveTrace(id),
  });
}
