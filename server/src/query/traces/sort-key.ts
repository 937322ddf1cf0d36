import type { Filter } from '../../filter/ast.ts';
import type { FilterSubject } from '../../filter/subject.ts';
import type { Entity } from '../../model/entity.ts';
import type { Trace } from '../../model/trace.ts';
import { isWithin, type TimeWindow } from '../time-interval.ts';

/** By which of its times a trace is in a window: its start, the last arrival of a part, or the end of a segment. */
export type TimeRangeType = 'TraceId' | 'Event' | 'Service';

/** What a list is sorted by. `updated` and `ended` are how windows of such times are sorted, latest first. */
export type ListOrder = {
  readonly by: 'start' | 'updated' | 'ended' | 'responsetime' | 'duration';
  readonly isDescending: boolean;
};

/**
 * A place in a list. Traces that have the value come first, sorted by it (`key`, microseconds); the rest follow, newest
 * first. Ties go by the id, in the direction of the key.
 */
export type SortKey = { readonly part: 'valued' | 'rest'; readonly key: number; readonly traceId: string };

/** What the filter asks for; else the latest first, by the time that puts traces into the window. */
export function listOrder(filter: Filter | undefined, by: TimeRangeType): ListOrder {
  const asked = filter?.order;
  if (asked !== undefined) return { by: asked.by, isDescending: asked.direction === 'descending' };
  return { by: by === 'TraceId' ? 'start' : by === 'Event' ? 'updated' : 'ended', isDescending: true };
}

/** Where the trace stands. */
export function sortKeyOf({ trace, summary }: FilterSubject, { by }: ListOrder, window: TimeWindow): SortKey {
  const key = keyOf();
  if (key === undefined) return { part: 'rest', key: trace.startUs, traceId: trace.id };
  return { part: 'valued', key, traceId: trace.id };

  function keyOf(): number | undefined {
    switch (by) {
      case 'start':
        return trace.startUs;
      case 'updated':
        return trace.updatedUs;
      case 'ended':
        return lastEndIn(trace, window);
      case 'responsetime':
        return summary.responseTimeUs;
      case 'duration':
        return summary.durationUs;
    }
  }
}

/** Negative when `a` stands before `b`. */
export function compareSortKeys({ isDescending }: ListOrder, a: SortKey, b: SortKey): number {
  if (a.part !== b.part) return a.part === 'valued' ? -1 : 1;
  const rising = a.key - b.key || (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : 0);
  return isDescending || a.part === 'rest' ? -rising : rising;
}

/** Whether the whole trace is in the window. */
export function isInWindow(trace: Trace, by: TimeRangeType, window: TimeWindow): boolean {
  switch (by) {
    case 'TraceId':
      return isWithin(window, trace.startUs);
    case 'Event':
      return isWithin(window, trace.updatedUs);
    case 'Service':
      return lastEndIn(trace, window) !== undefined;
  }
}

function lastEndIn(trace: Trace, window: TimeWindow): number | undefined {
  const ends = trace.segments.flatMap((segment) => (endedIn(window, segment) ? [segment.endUs as number] : []));
  return ends.length === 0 ? undefined : ends.reduce((latest, endUs) => Math.max(latest, endUs));
}

export function endedIn(window: TimeWindow, { endUs }: Entity): boolean {
  return endUs !== undefined && isWithin(window, endUs);
}
