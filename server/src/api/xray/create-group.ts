import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { createGroup as create, DEFAULT_GROUP } from '../../query/groups.ts';
import { optional } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GroupResponse } from '../types.ts';
import { groupExpression, insightSwitches, insightsConfiguration, toWireGroup } from './group-fields.ts';
import { tags } from './tags.ts';

/**
 * CreateGroup: gives a filter a name. Unlike X-Ray's, the group also contains traces that arrived before.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_CreateGroup.html
 */
export const createGroup = operation({
  name: 'CreateGroup',
  path: '/CreateGroup',
  input: z.object({
    GroupName: z.string().regex(/^[A-Za-z0-9-]{1,32}$/, 'must be 1 to 32 letters, digits and hyphens'),
    FilterExpression: optional(z.string()),
    InsightsConfiguration: optional(insightsConfiguration),
    Tags: optional(tags),
  }),
  async run(input, context): Promise<GroupResponse> {
    const { GroupName: name, FilterExpression: text, InsightsConfiguration: insights, Tags } = input;
    if (name === DEFAULT_GROUP) {
      throw new OpenrayError('InvalidRequestException', 'Default is a reserved group name');
    }
    const group = await create(context.store, context, {
      name,
      expression: groupExpression(text),
      insights: insightSwitches(insights),
      tags: (Tags ?? []).map(({ Key: key, Value: value }) => ({ key, value })),
    });
    return { Group: toWireGroup(context, group) };
  },
});
