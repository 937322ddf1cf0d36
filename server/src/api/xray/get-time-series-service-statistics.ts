import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { parseEntitySelector } from '../../filter/entity-selector.ts';
import { type SeriesPoint, serviceTimeSeries } from '../../query/service-graph/time-series.ts';
import { epochSeconds, optional, toSeconds } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetTimeSeriesServiceStatisticsResponse, WireTimeSeriesPoint } from '../types.ts';
import { groupMembers, requestFilter } from './group-fields.ts';
import { limitedMember, prunedMember, toWireHistogram, toWireStatistics } from './wire.ts';

const PERIODS = [60, 300];

/**
 * GetTimeSeriesServiceStatistics: a point a period, newest first, for one service, one call, or all calls of clients.
 * A point's time is the end of its period.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html
 */
export const getTimeSeriesServiceStatistics = operation({
  name: 'GetTimeSeriesServiceStatistics',
  path: '/TimeSeriesServiceStatistics',
  readsDocuments: true,
  input: z.object({
    StartTime: epochSeconds,
    EndTime: epochSeconds,
    ...groupMembers,
    EntitySelectorExpression: optional(z.string().min(1).max(500)),
    Period: optional(z.number()),
    ForecastStatistics: optional(z.boolean()),
    NextToken: optional(z.string()),
  }),
  async run(input, context): Promise<GetTimeSeriesServiceStatisticsResponse> {
    const period = input.Period ?? 60;
    if (!PERIODS.includes(period)) {
      throw new OpenrayError('InvalidRequestException', 'Time period must be one of [60, 300]');
    }
    if (input.EndTime < input.StartTime) {
      throw new OpenrayError('InvalidRequestException', 'End time cannot be earlier than start time');
    }
    const expression = input.EntitySelectorExpression;
    const selector = expression === undefined ? undefined : parseEntitySelector(expression);
    const { store, signal, onIncomplete } = context;
    const filter = await requestFilter(input, context);
    const points = await serviceTimeSeries(
      store,
      { window: { fromUs: input.StartTime, toUs: input.EndTime }, periodUs: period * 1_000_000, selector, filter },
      { signal, onIncomplete },
    );
    return {
      TimeSeriesServiceStatistics: points.map((point) => toWirePoint(point, selector?.kind ?? 'edge')),
      ...prunedMember(context, input.StartTime),
      ...limitedMember(context, { fromUs: input.StartTime, toUs: input.EndTime }),
      ContainsOldGroupVersions: false,
      NextToken: null,
    };
  },
});

function toWirePoint({ endUs, statistics, responseTimes }: SeriesPoint, kind: 'service' | 'edge'): WireTimeSeriesPoint {
  return {
    Timestamp: toSeconds(endUs),
    EdgeSummaryStatistics: kind === 'edge' ? toWireStatistics(statistics) : null,
    ServiceSummaryStatistics: kind === 'service' ? toWireStatistics(statistics) : null,
    ServiceForecastStatistics: { FaultCountHigh: null, FaultCountLow: null },
    ResponseTimeHistogram: toWireHistogram(responseTimes),
  };
}
