import type { Filter } from '../../filter/ast.ts';
import type { FilterSubject } from '../../filter/subject.ts';
import { contains, endedIn, type TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';

/**
 * The time of a trace that puts it into a window: its start (`TraceId`), the arrival of its last part (`Event`), or the
 * end of any of its segments (`Service`).
 */
export type TimeRangeType = 'TraceId' | 'Event' | 'Service';

/** Lists of `Event` and `Service` windows are sorted by `updated` and `ended`, latest first. */
export type ListOrder = {
  readonly by: 'start' | 'updated' | 'ended' | 'responsetime' | 'duration';
  readonly isDescending: boolean;
};

/**
 * The position of a trace in a list, and the keyset cursor of a page. Traces that have the value of the order come
 * first (`valued`), sorted by it (`key`, microseconds). The `rest` follows, newest first, with the start as its `key`.
 * Equal keys are sorted by trace id, in the direction of the key.
 */
export type SortKey = { readonly part: 'valued' | 'rest'; readonly key: number; readonly traceId: string };

/** The order that the filter asks for. Without one: latest first, by the time that puts traces into the window. */
export function listOrder(filter: Filter | undefined, timeRangeType: TimeRangeType): ListOrder {
  const requested = filter?.order;
  if (requested !== undefined) return { by: requested.by, isDescending: requested.direction === 'descending' };
  switch (timeRangeType) {
    case 'TraceId':
      return { by: 'start', isDescending: true };
    case 'Event':
      return { by: 'updated', isDescending: true };
    case 'Service':
      return { by: 'ended', isDescending: true };
  }
}

export function sortKeyOf({ trace, summary }: FilterSubject, { by }: ListOrder, window: TimeInterval): SortKey {
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

/** Negative when `a` comes before `b`. */
export function compareSortKeys({ isDescending }: ListOrder, a: SortKey, b: SortKey): number {
  if (a.part !== b.part) return a.part === 'valued' ? -1 : 1;
  const rising = a.key - b.key || (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : 0);
  return isDescending || a.part === 'rest' ? -rising : rising;
}

/** Whether the complete trace, as assembled, is in the window. */
export function isInWindow(trace: Trace, timeRangeType: TimeRangeType, window: TimeInterval): boolean {
  switch (timeRangeType) {
    case 'TraceId':
      return contains(window, trace.startUs);
    case 'Event':
      return contains(window, trace.updatedUs);
    case 'Service':
      return lastEndIn(trace, window) !== undefined;
  }
}

function lastEndIn(trace: Trace, window: TimeInterval): number | undefined {
  const ends = trace.segments.flatMap((segment) => (endedIn(window, segment) ? [segment.endUs as number] : []));
  return ends.length === 0 ? undefined : ends.reduce((latest, endUs) => Math.max(latest, endUs));
}
