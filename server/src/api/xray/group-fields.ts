import * as z from 'zod';
import { OpenrayError } from '../../errors.ts';
import type { Filter } from '../../filter/ast.ts';
import { parseFilter } from '../../filter/parser.ts';
import {
  DEFAULT_GROUP,
  findGroup,
  type GroupReference,
  groupArn,
  type InsightsSettings,
  resolveGroups,
  type StoredGroup,
} from '../../query/groups.ts';
import { optional } from '../fields.ts';
import type { ApiContext } from '../operation.ts';
import type { WireGroup } from '../types.ts';

/** Members that name a group. */
export const groupMembers = { GroupName: optional(z.string()), GroupARN: optional(z.string()) };

export const insightsConfiguration = z.object({
  InsightsEnabled: optional(z.boolean()),
  NotificationsEnabled: optional(z.boolean()),
});

type GroupMembers = { readonly GroupName?: string | undefined; readonly GroupARN?: string | undefined };

/** Throws InvalidRequestException unless exactly one of name and ARN is given. */
export function groupReference({ GroupName: name, GroupARN: arn }: GroupMembers): GroupReference {
  if (name !== undefined && arn === undefined) return { by: 'name', value: name };
  if (arn !== undefined && name === undefined) return { by: 'arn', value: arn };
  throw new OpenrayError('InvalidRequestException', 'Exactly one of GroupName and GroupARN must be given');
}

export function groupNotFound(): OpenrayError {
  return new OpenrayError('InvalidRequestException', 'Group not found');
}

/** The filter expression of a group. Throws InvalidRequestException when it is empty or does not parse. */
export function groupExpression(text: string | undefined): string {
  if (text === undefined || text.trim() === '') {
    throw new OpenrayError('InvalidRequestException', 'Filter Expression is empty');
  }
  parseFilter(text);
  return text;
}

/** Absent members keep their value; switching insights off switches notifications off. */
export function insightSwitches(
  requested: z.output<typeof insightsConfiguration> | undefined,
  before: InsightsSettings = { isEnabled: false, sendsNotifications: false },
): InsightsSettings {
  const isEnabled = requested?.InsightsEnabled ?? before.isEnabled;
  const notifies = requested?.NotificationsEnabled ?? (isEnabled && before.sendsNotifications);
  if (notifies && !isEnabled) {
    throw new OpenrayError('InvalidRequestException', 'Notifications can only be enabled together with insights');
  }
  return { isEnabled, sendsNotifications: notifies };
}

export function toWireGroup(context: ApiContext, group: StoredGroup): WireGroup {
  const { name, expression, insights } = group;
  return {
    GroupName: name,
    GroupARN: groupArn(context, group),
    ...(expression !== undefined && { FilterExpression: expression }),
    InsightsConfiguration: { InsightsEnabled: insights.isEnabled, NotificationsEnabled: insights.sendsNotifications },
  };
}

/**
 * The condition of the group AND the expression, as far as they are given; undefined without both.
 * Throws InvalidRequestException when there is no such group, or the expression does not parse.
 */
export async function requestFilter(
  { FilterExpression: expression, ...group }: GroupMembers & { readonly FilterExpression?: string | undefined },
  context: ApiContext,
): Promise<Filter | undefined> {
  const filter = expression === undefined ? undefined : parseFilter(expression);
  const groupFilter = await filterOfGroup(group, context);
  const both = filter && groupFilter ? andFilters(filter, groupFilter) : (filter ?? groupFilter);
  return both && resolveGroups(context.store, context, both);
}

async function filterOfGroup({ GroupName: name, GroupARN: arn }: GroupMembers, context: ApiContext) {
  if (arn === undefined && (name === undefined || name === DEFAULT_GROUP)) return undefined;
  const reference: GroupReference =
    arn === undefined ? { by: 'name', value: name ?? DEFAULT_GROUP } : { by: 'arn', value: arn };
  const group = await findGroup(context.store, context, reference);
  if (group === undefined || (name !== undefined && name !== group.name)) {
    throw new OpenrayError('InvalidRequestException', 'Group not found.');
  }
  return group.expression === undefined ? undefined : parseFilter(group.expression);
}

function andFilters(filter: Filter, other: Filter): Filter {
  const { condition, range } = filter;
  return { ...filter, condition: { kind: 'and', operands: [condition, other.condition], range } };
}
