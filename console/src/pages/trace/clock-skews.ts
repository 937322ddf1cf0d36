import type { WireTrace } from 'openray/api-types';
import { formatDuration } from '../../shared/format.ts';

/** A segment whose clock disagrees with its caller's, for the notice. `id` opens it. */
export type ClockSkewNotice = { readonly id: string; readonly sentence: string };

type Named = { readonly name: string };

/** Sentences about the largest differences, one for each pair of services, largest first. */
export function clockSkewNotices(
  { ClockSkews = [] }: Pick<WireTrace, 'ClockSkews'>,
  { byId }: { readonly byId: ReadonlyMap<string, Named & { readonly segment: Named | undefined }> },
): readonly ClockSkewNotice[] {
  const notices = new Map<string, ClockSkewNotice>();
  for (const { Id, ParentId, Seconds } of ClockSkews) {
    const parent = byId.get(ParentId);
    const caller = (parent?.segment ?? parent)?.name ?? ParentId;
    const called = byId.get(Id)?.name ?? Id;
    const direction = Seconds < 0 ? 'behind' : 'ahead of';
    const pair = JSON.stringify([called, direction, caller]);
    if (notices.has(pair)) continue;
    const amount = formatDuration(Math.abs(Seconds) * 1e6);
    notices.set(pair, {
      id: Id,
      sentence: `The clock of ${called} is at least ${amount} ${direction} the clock of ${caller}.`,
    });
  }
  return [...notices.values()];
}
