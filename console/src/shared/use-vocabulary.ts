import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { type Vocabulary, vocabularyFilter } from 'openray/filter';
import { useCallback } from 'react';
import { getGroups, getServiceGraph, getTraceSummaries, wireWindow } from './api.ts';
import { vocabularyOf } from './vocabulary.ts';

const FRESH_MS = 60_000;

/**
 * Names and values that fit at a position of a filter expression: those of the newest traces of a time range that meet
 * its other conditions. Fetched on the first call and kept for a minute.
 */
export function useVocabulary(range: string): (text: string, offset: number) => Promise<Vocabulary> {
  const queries = useQueryClient();
  return useCallback(
    (text, offset) =>
      Promise.all([namesIn(queries, range), newestTraces(queries, range, vocabularyFilter(text, offset))])
        .then(([{ services, groups }, traces]) => ({
          ...vocabularyOf(services, traces),
          groups: groups.map(({ GroupName }) => GroupName),
          groupArns: groups.map(({ GroupARN }) => GroupARN),
        }))
        // Without names from the server, completions still offer the keywords.
        .catch(() => ({})),
    [queries, range],
  );
}

function namesIn(queries: QueryClient, range: string) {
  return queries.fetchQuery({
    queryKey: ['vocabulary', range],
    staleTime: FRESH_MS,
    retry: false,
    queryFn: async ({ signal }) => {
      const [graph, { Groups }] = await Promise.all([getServiceGraph(wireWindow(range), signal), getGroups(signal)]);
      return { services: graph.Services, groups: Groups };
    },
  });
}

function newestTraces(queries: QueryClient, range: string, filter: string) {
  return queries.fetchQuery({
    queryKey: ['vocabulary', range, filter],
    staleTime: FRESH_MS,
    retry: false,
    queryFn: async ({ signal }) => {
      const request = { ...wireWindow(range), ...(filter !== '' && { FilterExpression: filter }) };
      return (await getTraceSummaries(request, signal)).TraceSummaries;
    },
  });
}
