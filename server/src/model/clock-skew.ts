import { type Document, type Entity, isCall } from './entity.ts';
import { sentSpans } from './otlp/documents/trace-to-spans.ts';
import { KIND } from './otlp-messages.ts';
import type { Trace } from './trace.ts';
import type { EntityId } from './trace-id.ts';

/**
 * A segment whose clock disagrees with that of its caller. `skewUs` is the least difference that explains the times:
 * negative if the segment's clock is behind.
 */
export type ClockSkew = { readonly id: EntityId; readonly parentId: EntityId; readonly skewUs: number };

/** Synchronised clocks differ by some milliseconds. */
const MIN_SKEW_US = 10_000;

/** Maximum of reported segments: one clock puts all segments of its service into the wrong place. */
export const MAX_CLOCK_SKEWS = 20;

/**
 * The segments with the largest differences, largest first. A segment cannot start before its caller started, nor after
 * a call to a host has ended. (A message or an asynchronous invocation may start its segment at any later time.)
 * `documents` are those of the trace.
 */
export function clockSkews(trace: Trace, documents: readonly Document[]): readonly ClockSkew[] {
  const skews = skewsOf(trace);
  return (skews.some(({ skewUs }) => skewUs > 0) ? withoutMessages(skews, documents) : skews)
    .sort((a, b) => Math.abs(b.skewUs) - Math.abs(a.skewUs) || (a.id < b.id ? -1 : 1))
    .slice(0, MAX_CLOCK_SKEWS);
}

function skewsOf(trace: Trace): ClockSkew[] {
  return trace.segments.flatMap((segment) => {
    const parent = segment.parentId === undefined ? undefined : trace.entities.get(segment.parentId);
    const skewUs = parent === undefined ? 0 : skewOf(segment, parent);
    return parent !== undefined && Math.abs(skewUs) >= MIN_SKEW_US
      ? [{ id: segment.id, parentId: parent.id, skewUs }]
      : [];
  });
}

/** Only spans say that a call is a message. */
function withoutMessages(skews: readonly ClockSkew[], documents: readonly Document[]): ClockSkew[] {
  const spans = sentSpans(documents);
  const kindOf = (id: EntityId) => spans.get(id)?.span.kind;
  return skews.filter(
    ({ id, parentId, skewUs }) => skewUs < 0 || (kindOf(parentId) !== KIND.producer && kindOf(id) !== KIND.consumer),
  );
}

function skewOf(segment: Entity, parent: Entity): number {
  if (segment.startUs < parent.startUs) return segment.startUs - parent.startUs;
  const isAnswered = isCall(parent) && parent.namespace === 'remote' && parent.endUs !== undefined;
  return isAnswered ? Math.max(0, segment.startUs - (parent.endUs ?? 0)) : 0;
}
