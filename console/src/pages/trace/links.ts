import { type Entity, type Json, type TraceTree, textOf, valueAt } from './entities.ts';

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
  const sent = linkList(entity).map((link): EntityLink => {
    const direction = valueAt(link, 'attributes', REFERENCE_TYPE) === 'child' ? 'from' : 'to';
    return toLink(direction, textOf(valueAt(link, 'trace_id')) ?? '', textOf(valueAt(link, 'id')), tree);
  });
  const within = [...tree.byId.values()].filter((other) =>
    linkList(other).some((link) => valueAt(link, 'trace_id') === tree.id && valueAt(link, 'id') === entity.id),
  );
  const back = within.map(({ id }): EntityLink => toLink('from', tree.id, id, tree));
  const all = new Map([...sent, ...back].map((link) => [`${link.direction} ${link.traceId} ${link.id}`, link]));
  return [...all.values()].filter(({ traceId }) => traceId !== '');
}

/** X-Ray marks the direction of a link; OpenTelemetry's links always go to what was before. */
const REFERENCE_TYPE = 'aws.xray.reserved.reference_type';

function linkList({ fields }: Entity): readonly Json[] {
  return Array.isArray(fields.links) ? (fields.links as readonly Json[]) : [];
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
