import * as z from 'zod';
import { deleteGroup as remove } from '../../query/groups.ts';
import { operation } from '../operation.ts';
import { groupMembers, groupNotFound, groupReference } from './group-fields.ts';

/**
 * DeleteGroup: deletes a group and keeps its traces.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_DeleteGroup.html
 */
export const deleteGroup = operation({
  name: 'DeleteGroup',
  path: '/DeleteGroup',
  input: z.object(groupMembers),
  async run(input, context) {
    if (!(await remove(context.store, context, groupReference(input)))) throw groupNotFound();
    return {};
  },
});
