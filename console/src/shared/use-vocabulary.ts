import { useQueryClient } from '@tanstack/react-query';
import type { Vocabulary } from 'openray/filter';
import { useCallback } from 'react';
import { getGroups, getServiceGraph, getTraceSummaries, wireWindow } from './api.ts';
import { vocabularyOf } from './vocabulary.ts';

const FRESH_MS = 60_000;

/** Names that occur in a time range, fetched on the first call and kept for a minute. */
export function useVocabulary(range: string): () => Promise<Vocabulary> {
  const queries = useQueryClient();
  return useCallback(
    () =>
      queries
        .fetchQuery({
          queryKey: ['vocabulary', range],
          staleTime: FRESH_MS,
          retry: false,
          queryFn: async ({ signal }) => {
            const window = wireWindow(range);
            const [graph, newest, { Groups }] = await Promise.all([
              getServiceGraph(window, signal),
              getTraceSummaries(window, signal),
              getGroups(signal),
            ]);
            return {
              ...vocabularyOf(graph.Services, newest.TraceSummaries),
              groups: Groups.map(({ GroupName }) => GroupName),
              groupArns: Groups.map(({ GroupARN }) => GroupARN),
            };
          },
        })
        // Without names from the server, completions still offer the keywords.
        .catch(() => ({})),
    [queries, range],
  );
}
