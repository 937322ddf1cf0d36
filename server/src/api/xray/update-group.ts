import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { changeGroup, DEFAULT_GROUP } from '../../query/groups.ts';
import { optional } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GroupResponse } from '../types.ts';
import {
  groupExpression,
  groupMembers,
  groupNotFound,
  groupReference,
  insightSwitches,
  insightsConfiguration,
  toWireGroup,
} from './group-fields.ts';

/**
 * UpdateGroup: changes the filter of a group or its insights. Absent members keep their value. Unlike X-Ray's, the
 * filter also applies to traces that arrived before.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_UpdateGroup.html
 */
export const updateGroup = operation({
  name: 'UpdateGroup',
  path: '/UpdateGroup',
  input: z.object({
    ...groupMembers,
    FilterExpression: optional(z.string()),
    InsightsConfiguration: optional(insightsConfiguration),
  }),
  async run(input, context): Promise<GroupResponse> {
    const { FilterExpression: text, InsightsConfiguration: insights, ...members } = input;
    const group = await changeGroup(context.store, context, groupReference(members), (before) => {
      if (text !== undefined && before.name === DEFAULT_GROUP) {
        throw new OpenrayError(
          'InvalidRequestException',
          'The Default group holds every trace: it cannot have a filter',
        );
      }
      return {
        ...before,
        expression: text === undefined ? before.expression : groupExpression(text),
        insights: insightSwitches(insights, before.insights),
      };
    });
    if (group === undefined) throw groupNotFound();
    return { Group: toWireGroup(context, group) };
  },
});
