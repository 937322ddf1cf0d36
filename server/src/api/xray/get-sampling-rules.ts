import * as z from 'zod';
import type { SamplingRule } from '../../sampling/rules.ts';
import { toSeconds } from '../fields.ts';
import { operation } from '../operation.ts';

/**
 * GetSamplingRules: custom rules by name, `Default` last. Any token is ignored, as X-Ray does: there is one page.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetSamplingRules.html
 */
export const getSamplingRules = operation({
  name: 'GetSamplingRules',
  path: '/GetSamplingRules',
  input: z.object({}),
  async run(_input, { samplingRules, region, accountId }) {
    return {
      SamplingRuleRecords: samplingRules().map((rule) => toRecord(rule, region, accountId)),
      NextToken: null,
    };
  },
});

function toRecord(rule: SamplingRule, region: string, accountId: string) {
  return {
    SamplingRule: {
      RuleName: rule.ruleName,
      RuleARN: `arn:aws:xray:${region}:${accountId}:sampling-rule/${rule.ruleName}`,
      ResourceARN: rule.resourceArn,
      Priority: rule.priority,
      FixedRate: rule.fixedRate,
      ReservoirSize: rule.reservoirSize,
      ServiceName: rule.serviceName,
      ServiceType: rule.serviceType,
      Host: rule.host,
      HTTPMethod: rule.httpMethod,
      URLPath: rule.urlPath,
      Version: 1,
      Attributes: rule.attributes,
    },
    CreatedAt: toSeconds(rule.createdUs),
    ModifiedAt: toSeconds(rule.modifiedUs),
  };
}
