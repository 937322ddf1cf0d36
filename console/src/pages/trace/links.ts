import { formatTraceId, isToProducer, parseTraceId } from 'openray/model';
import type { Entity, TraceTree } from './entities.ts';

/** A link between an entity and one of this trace or of another. */
export type EntityLink = {
  /** `to`: this one names the other, as a consumer names the producer of its message; `from`: the other names this one. */
  readonly direction: 'to' | 'from';
  readonly traceId: string;
  readonly id: string | undefined;
  /** The other, where it is in this trace. */
  readonly entity: Entity | undefined;
};

/** Links of an entity in both directions. Who links to it from another trace is in its document; within the trace it is looked up. */
export function linksOf(entity: Entity, tree: TraceTree): readonly EntityLink[] {
  const sent = entity.links.map(
    (link): EntityLink => toLink(isToProducer(link) ? 'to' : 'from', formatTraceId(link.traceId), link.id, tree),
  );
  const here = parseTraceId(tree.id);
  const within = [...tree.byId.values()].filter((other) =>
    other.links.some(({ traceId, id }) => traceId === here && id === entity.id),
  );
  const back = within.map(({ id }): EntityLink => toLink('from', tree.id, id, tree));
  const all = new Map([...sent, ...back].map((link) => [`${link.direction} ${link.traceId} ${link.id}`, link]));
  return [...all.values()];
}

function toLink(
  direction: EntityLink['direction'],
  traceId: string,
  id: string | undefined,
  tree: TraceTree,
): EntityLink {
  const entity = traceId === tree.id && id !== undefined ? tree.byId.get(id) : undefined;
  return { direction, traceId, id, entity };
}
