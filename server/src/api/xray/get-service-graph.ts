import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import { serviceGraphOf } from '../../query/service-graph/service-graph.ts';
import { epochSeconds, optional } from '../fields.ts';
import { operation } from '../operation.ts';
import type { GetServiceGraphResponse } from '../types.ts';
import { groupMembers, requestFilter } from './group-fields.ts';
import { boundsOf, limitedMember, prunedMember, toWireServices } from './wire.ts';

/**
 * GetServiceGraph: requests that ended in the window, added up by service and by call.
 * Beyond X-Ray it accepts a `FilterExpression`: only traces that match are counted.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
 */
export const getServiceGraph = operation({
  name: 'GetServiceGraph',
  path: '/ServiceGraph',
  readsDocuments: true,
  input: z.object({
    StartTime: epochSeconds,
    EndTime: epochSeconds,
    ...groupMembers,
    FilterExpression: optional(z.string()),
    NextToken: optional(z.string()),
  }),
  async run(input, context): Promise<GetServiceGraphResponse> {
    if (input.NextToken !== undefined) {
      throw new OpenrayError('InvalidRequestException', 'NextToken is currently not supported');
    }
    const window = { fromUs: input.StartTime, toUs: input.EndTime };
    if (window.toUs < window.fromUs) {
      throw new OpenrayError('InvalidRequestException', 'End time cannot be earlier than start time');
    }
    const { store, signal, onIncomplete } = context;
    const filter = await requestFilter(input, context);
    const graph = await serviceGraphOf(store, { window, filter }, { signal, onIncomplete });
    return {
      ...boundsOf(graph),
      Services: toWireServices(graph, 'with-times'),
      ...prunedMember(context, window.fromUs),
      ...limitedMember(context, window),
      ContainsOldGroupVersions: false,
      NextToken: null,
    };
  },
});
