import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { listOrder, type SortKey, type TimeRangeType } from '../../query/traces/sort-key.ts';
import { findTraceSummaries } from '../../query/traces/trace-summaries.ts';
import { epochSeconds, optional, toSeconds } from '../fields.ts';
import { operation } from '../operation.ts';
import { fromToken, toToken } from '../page-token.ts';
import type { AwsTraceSummary, GetTraceSummariesResponse } from '../types.ts';
import { groupMembers, requestFilter } from './group-fields.ts';
import { prunedMember, toAwsSummary, toWireSummary } from './wire.ts';

const PAGE_SIZE = 100;

const samplingStrategy = z.object({
  Name: optional(z.enum(['PartialScan', 'FixedRate'])),
  Value: optional(z.number()),
});

/**
 * GetTraceSummaries: the traces of a window that match, a page at a time, newest first or in the order of the filter.
 * Beyond X-Ray it accepts the name or ARN of a group. Every page is exact; the strategy PartialScan is ignored.
 * Throws InvalidRequestException when the filter does not parse (the message names the position).
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html
 */
export const getTraceSummaries = operation({
  name: 'GetTraceSummaries',
  path: '/TraceSummaries',
  readsDocuments: true,
  input: z.object({
    StartTime: epochSeconds,
    EndTime: epochSeconds,
    TimeRangeType: optional(z.enum(['TraceId', 'Event', 'Service'])),
    Sampling: optional(z.boolean()),
    SamplingStrategy: optional(samplingStrategy),
    FilterExpression: optional(z.string()),
    ...groupMembers,
    NextToken: optional(z.string()),
  }),
  async run({ NextToken: token, ...query }, context): Promise<GetTraceSummariesResponse<AwsTraceSummary>> {
    const window = { fromUs: query.StartTime, toUs: query.EndTime };
    if (window.toUs < window.fromUs) {
      throw new OpenrayError('InvalidRequestException', 'End time cannot be earlier than start time');
    }
    const by = query.TimeRangeType ?? 'TraceId';
    const { store, signal, onIncomplete } = context;
    const filter = await requestFilter(query, context);
    const rate = query.Sampling === true ? fixedRate(query.SamplingStrategy, by) : undefined;
    const page = await findTraceSummaries(
      store,
      {
        window,
        timeRangeType: by,
        filter,
        after: token === undefined ? undefined : fromToken(token, query),
        pageSize: PAGE_SIZE,
        ...(rate === undefined ? {} : { keep: (summary: TraceSummary) => samplingFraction(summary.id) < rate }),
      },
      { signal, onIncomplete },
    );
    const toSummary = context.hasExtensions ? toWireSummary : toAwsSummary;
    return {
      TraceSummaries: page.summaries.map((summary) =>
        toSummary(summary, by === 'TraceId' ? undefined : summary.updatedUs),
      ),
      ApproximateTime: toSeconds(completeSinceUs(page.nextKey, filter, by) ?? window.fromUs),
      TracesProcessedCount: page.scannedCount,
      ...prunedMember(context, window.fromUs),
      NextToken: page.nextKey === undefined ? null : toToken(page.nextKey, query),
    };
  },
});

/** The time down to which pages are complete; undefined when the list is not in descending order of time. */
function completeSinceUs(next: SortKey | undefined, filter: Filter | undefined, by: TimeRangeType): number | undefined {
  const order = listOrder(filter, by);
  const isByTime = order.isDescending && order.by !== 'duration' && order.by !== 'responsetime';
  return isByTime ? next?.key : undefined;
}

function fixedRate(strategy: z.output<typeof samplingStrategy> | undefined, by: string): number | undefined {
  if (strategy?.Name !== 'FixedRate') return undefined;
  const { Value: rate } = strategy;
  if (rate === undefined || rate < 0 || rate > 1) {
    throw new OpenrayError(
      'InvalidRequestException',
      'sampling rate must be specified and its value must be between [0, 1]',
    );
  }
  if (by !== 'Event') {
    throw new OpenrayError(
      'InvalidRequestException',
      `Cannot use FixedRate with input time range type: ${by}. Please try using time range type: Event`,
    );
  }
  return rate;
}

/** A number from 0 to 1 from the random end of the trace id, so that every page samples the same traces. */
function samplingFraction(id: TraceId): number {
  return Number.parseInt(id.slice(-12), 16) / 2 ** 48;
}
