import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { WireTraceSummary } from 'openray/api-types';
import { ApiFailure, batchGetTraces, getTraceGraph, getTraceSummary } from '../../shared/api.ts';
import { liveTrace } from '../../shared/live.ts';
import { type ServiceGraph, toServiceGraph } from '../../shared/map/graph.ts';
import { type MissingData, missingDataOf, REFETCH_INCOMPLETE_MS } from '../../shared/missing-data.ts';
import { type ClockSkewNotice, clockSkewNotices } from './clock-skews.ts';
import { readTrace, type TraceTree } from './entities.ts';
import { loadParts } from './trace-parts.ts';

export type LoadedTrace = {
  readonly tree: TraceTree;
  readonly missing: MissingData;
  readonly clockSkews: readonly ClockSkewNotice[];
  /** Parts of the trace follow that are not in `tree`. */
  readonly hasMore: boolean;
};

/**
 * A trace with all of its received documents, or the first `parts` parts of a large one. Without any it fails: with `ShardUnreachable` while a shard cannot be
 * reached, since it may hold the trace; else with `TraceNotFound`.
 */
export function useTrace(id: string, parts: number): UseQueryResult<LoadedTrace> {
  return useQuery({
    queryKey: ['trace', id, parts],
    queryFn: async ({ signal }): Promise<LoadedTrace> => {
      const loadPage = (token: string | null) => batchGetTraces({ TraceIds: [id], NextToken: token }, signal);
      const { loaded, isIncomplete, isDamaged } = await loadParts(loadPage, parts);
      if (loaded) {
        const { trace, hasMore } = loaded;
        const tree = readTrace(trace);
        const missing = missingDataOf({ ...trace, IsIncomplete: isIncomplete, IsDamaged: isDamaged });
        return { tree, missing, clockSkews: clockSkewNotices(trace, tree), hasMore };
      }
      throw isIncomplete
        ? new ApiFailure('ShardUnreachable', 503, 'A part of the store cannot be read now; it may hold the trace.')
        : new ApiFailure('TraceNotFound', 404, `No document of trace ${id} was received.`);
    },
    refetchInterval: ({ state: { data, error } }) =>
      data?.missing.isIncomplete || (error instanceof ApiFailure && error.code === 'ShardUnreachable')
        ? REFETCH_INCOMPLETE_MS
        : false,
    // No deep comparison with the tree before: it would cost more than drawing the new tree.
    structuralSharing: false,
    // While more parts load, the page shows those that it has.
    placeholderData: (before, query) => (query?.queryKey[1] === id ? keepPreviousData(before) : undefined),
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
