import { z } from 'zod';
import { OpenrayError } from '../errors.ts';
import { optional } from './operation.ts';

/** How operations name the group that they look at; neither member means every trace. */
export const groupMembers = { GroupName: optional(z.string()), GroupARN: optional(z.string()) };

/** `Default` holds every trace and is the only group there is. Throws InvalidRequestException for another one. */
export function groupFilter({
  GroupName: name,
  GroupARN: arn,
}: {
  GroupName?: string | undefined;
  GroupARN?: string | undefined;
}) {
  const isDefault = (name ?? 'Default') === 'Default' && (arn === undefined || arn.endsWith(':group/Default'));
  if (!isDefault) throw new OpenrayError('InvalidRequestException', 'Group not found.');
}
