import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { listGroups } from '../../query/groups.ts';
import { optional } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetGroupsResponse } from '../types.ts';
import { toWireGroup } from './group-fields.ts';

/**
 * GetGroups: the groups of traces, first `Default`, which contains every trace and always exists. All on one page, as
 * with X-Ray.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetGroups.html
 */
export const getGroups = operation({
  name: 'GetGroups',
  path: '/Groups',
  input: z.object({ NextToken: optional(z.string()) }),
  async run({ NextToken: token }, context): Promise<GetGroupsResponse> {
    if (token !== undefined) throw new OpenrayError('InvalidRequestException', 'Next Token not supported');
    const groups = await listGroups(context.store);
    return { Groups: groups.map((group) => toWireGroup(context, group)), NextToken: null };
  },
});
