import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { getTimeSeries, toWireWindow } from '../../shared/api.ts';
import { LIVE } from '../../shared/live.ts';
import { outcomeCounts } from '../../shared/outcome.ts';
import type { SeriesPoint } from '../../shared/outcome-series.tsx';
import { nowUs, windowOf } from '../../shared/time-range.ts';
import { fillSeries, periodFor } from './series.ts';

/**
 * Requests over time of the node or edge of `selector` (`service(…)` or `edge(…)`), in the traces of `group` (all where
 * it is empty), oldest first, without gaps.
 */
export function useSeries(range: string, selector: string, group: string): UseQueryResult<readonly SeriesPoint[]> {
  return useQuery({
    queryKey: ['series', range, selector, group],
    queryFn: async ({ signal }) => {
      const window = windowOf(range, nowUs());
      const period = periodFor(window);
      // A point has the time of its end, and the last point ends after now.
      const upToNext = { ...window, toUs: window.toUs + period * 1_000_000 };
      const request = {
        ...toWireWindow(upToNext),
        EntitySelectorExpression: selector,
        Period: period,
        ...(group !== '' && { GroupName: group }),
      };
      const { TimeSeriesServiceStatistics } = await getTimeSeries(request, signal);
      const points = TimeSeriesServiceStatistics.map((point) => ({
        endUs: point.Timestamp * 1_000_000,
        counts: outcomeCounts(point.ServiceSummaryStatistics ?? point.EdgeSummaryStatistics),
      }));
      return fillSeries(points, window, period);
    },
    placeholderData: keepPreviousData,
    meta: LIVE,
  });
}
