import { formatTraceId, isToProducer, parseTraceId } from 'openray/model';
import type { Entity, TraceTree } from './entities.ts';

/** A link between an entity and another one, of this trace or of another trace. */
export type EntityLink = {
  /** `to`: this entity names the other, as a consumer names its producer; `from`: the other entity names this one. */
  readonly direction: 'to' | 'from';
  readonly traceId: string;
  readonly id: string | undefined;
  /** The other entity, where it is in this trace. */
  readonly entity: Entity | undefined;
};

/**
 * Links of an entity in both directions. Its document has the links from other traces; the links from this trace are in
 * the documents of the other entities.
 */
export function linksOf(entity: Entity, tree: TraceTree): readonly EntityLink[] {
  const sent = entity.links.map(
    (link): EntityLink => toLink(isToProducer(link) ? 'to' : 'from', formatTraceId(link.traceId), link.id, tree),
  );
  const ownTraceId = parseTraceId(tree.id);
  const within = [...tree.byId.values()].filter((other) =>
    other.links.some(({ traceId, id }) => traceId === ownTraceId && id === entity.id),
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
