import * as z from 'zod';
import type { SamplingTarget } from '../../sampling/targets.ts';
import { epochSeconds, optional, toSeconds } from '../fields.ts';
import { operation } from '../operation.ts';

const count = z.number().min(0);

/**
 * GetSamplingTargets: stores the counters of a client and returns its share of each rule's reservoir.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetSamplingTargets.html
 */
export const getSamplingTargets = operation({
  name: 'GetSamplingTargets',
  path: '/SamplingTargets',
  input: z.object({
    SamplingStatisticsDocuments: z
      .array(
        z.object({
          RuleName: z.string().min(1).max(32),
          ClientID: z.string().min(1),
          Timestamp: epochSeconds,
          RequestCount: count,
          SampledCount: count,
          BorrowCount: optional(count),
        }),
      )
      .max(25),
    SamplingBoostStatisticsDocuments: optional(z.array(z.looseObject({ RuleName: z.string() })).max(25)),
  }),
  async run({ SamplingStatisticsDocuments: reports, SamplingBoostStatisticsDocuments: boosts }, context) {
    const nowUs = Date.now() * 1000;
    const statistics = reports.map((report) => ({
      ruleName: report.RuleName,
      clientId: report.ClientID,
      timestampUs: report.Timestamp,
      requestCount: report.RequestCount,
      sampledCount: report.SampledCount,
      borrowCount: report.BorrowCount ?? 0,
    }));
    const targets = await context.samplingTargets.report(statistics, nowUs);
    const results = reports.map(({ RuleName: ruleName }, index) => ({ ruleName, target: targets[index] }));
    return {
      SamplingTargetDocuments: results.flatMap(({ target }) => (target ? [toWireTarget(target)] : [])),
      LastRuleModification: toSeconds(Math.max(...context.samplingRules().map(({ modifiedUs }) => modifiedUs))),
      UnprocessedStatistics: results.flatMap(({ ruleName, target }) =>
        target ? [] : [{ RuleName: ruleName, ErrorCode: '400', Message: 'Unknown rule' }],
      ),
      ...(boosts ? { UnprocessedBoostStatistics: [] } : {}),
    };
  },
});

/** Without `SamplingBoost`: openray has none, and X-Ray SDKs for Java before 2.18.3 refuse the member. */
function toWireTarget({ ruleName, fixedRate, quota }: SamplingTarget) {
  return {
    RuleName: ruleName,
    FixedRate: fixedRate,
    ReservoirQuota: quota?.perSecond ?? null,
    ReservoirQuotaTTL: toSeconds(quota?.ttlUs),
    Interval: quota?.intervalSeconds ?? null,
  };
}
