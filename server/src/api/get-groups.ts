import { z } from 'zod';
import { OpenrayError } from '../errors.ts';
import { operation, optional } from './operation.ts';

/**
 * GetGroups: the groups of traces. `Default` holds every trace and is always there.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetGroups.html
 */
export const getGroups = operation({
  name: 'GetGroups',
  path: '/Groups',
  input: z.object({ NextToken: optional(z.string()) }),
  async run({ NextToken: token }, { region, accountId }) {
    if (token !== undefined) throw new OpenrayError('InvalidRequestException', 'Next Token not supported');
    return {
      Groups: [
        {
          GroupName: 'Default',
          GroupARN: `arn:aws:xray:${region}:${accountId}:group/Default`,
          InsightsConfiguration: { InsightsEnabled: false, NotificationsEnabled: false },
        },
      ],
      NextToken: null,
    };
  },
});
