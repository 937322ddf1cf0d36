import * as z from 'zod';
import { findGroup } from '../../query/groups.ts';
import { operation } from '../operation.ts';
import type { GroupResponse } from '../types.ts';
import { groupMembers, groupNotFound, groupReference, toWireGroup } from './group-fields.ts';

/**
 * GetGroup: one group, by its name or its ARN.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetGroup.html
 */
export const getGroup = operation({
  name: 'GetGroup',
  path: '/GetGroup',
  input: z.object(groupMembers),
  async run(input, context): Promise<GroupResponse> {
    const group = await findGroup(context.store, context, groupReference(input));
    if (group === undefined) throw groupNotFound();
    return { Group: toWireGroup(context, group) };
  },
});
