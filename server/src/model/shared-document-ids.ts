import type { Document, Entity } from './entity.ts';
import { otherSideId, serverSideId } from './otlp/to-xray/derived-ids.ts';
import type { EntityId } from './trace-id.ts';

/** A document of either kind that `assembleTrace` takes, after the translation of spans. */
type Separable = Pick<Document, 'traceId' | 'id' | 'seq' | 'entities'> & { readonly format: string };

/**
 * Gives each finished entity of X-Ray documents an id of its own, subsegments inside of them included. Entities with one
 * id are versions of one entity unless their kind or name differ: senders that share an id between a call and the called
 * service, or that choose ids badly. Then the first in the order subsegment, segment, name keeps the id, the others get
 * derived ids, and a segment that shares the id of a subsegment moves below it. What is inside of an entity moves with
 * it; documents that name the id as their parent stay below the one that keeps it.
 *
 * The result depends only on which documents there are. Unfinished entities share no id: they wait for the finished
 * version, of any name. Returns the same list if no id is shared.
 */
export function separateSharedDocumentIds<T extends Separable>(documents: readonly T[]): readonly T[] {
  const sides = sidesOfSharedIds(documents);
  if (sides.size === 0) return documents;
  return documents.map((document) => (document.format === 'xray' ? separated(document, sides) : document));
}

/** By shared id, the kinds and names in their order. */
type SidesById = ReadonlyMap<EntityId, readonly string[]>;

function sidesOfSharedIds(documents: readonly Separable[]): SidesById {
  const first = new Map<EntityId, Entity>();
  const shared = new Map<EntityId, Set<string>>();
  for (const { format, entities } of documents) {
    if (format !== 'xray') continue;
    for (const entity of entities) {
      if (entity.endUs === undefined) continue;
      const known = first.get(entity.id);
      if (known === undefined) first.set(entity.id, entity);
      else if (known.kind !== entity.kind || known.name !== entity.name) {
        shared.set(entity.id, (shared.get(entity.id) ?? new Set([sideOf(known)])).add(sideOf(entity)));
      }
    }
  }
  return new Map(Array.from(shared, ([id, sides]) => [id, [...sides].sort()]));
}

/** Sorts a call before the called service. */
const sideOf = ({ kind, name }: Entity): string => `${kind === 'segment' ? SEGMENT : SUBSEGMENT}${name}`;
const SUBSEGMENT = '0/';
const SEGMENT = '1/';

function separated<T extends Separable>(document: T, sidesById: SidesById): T {
  if (!document.entities.some(({ id }) => sidesById.has(id))) return document;
  const moved = new Map<EntityId, EntityId>();
  const entities = document.entities.map((sent, index) => {
    // Entities inside of a document come after the one around them.
    const around = index === 0 || sent.parentId === undefined ? undefined : moved.get(sent.parentId);
    const entity = around === undefined ? sent : { ...sent, parentId: around };
    const own = withOwnId(entity, sidesById.get(sent.id) ?? []);
    if (own !== entity) moved.set(sent.id, own.id);
    return own;
  });
  return { ...document, id: entities[0]?.id ?? document.id, entities };
}

function withOwnId(entity: Entity, sides: readonly string[]): Entity {
  const side = sideOf(entity);
  const at = sides.indexOf(side);
  if (at <= 0) return entity;
  const isCalled = side.startsWith(SEGMENT) && sides[0]?.startsWith(SUBSEGMENT) === true;
  const isServer = isCalled && sides[at - 1]?.startsWith(SUBSEGMENT) === true;
  const id = isServer ? serverSideId(entity.traceId, entity.id) : otherSideId(entity.traceId, entity.id, side);
  const parentId = isCalled ? entity.id : entity.parentId;
  return { ...entity, id, parentId, fields: { ...entity.fields, id, ...(isCalled && { parent_id: entity.id }) } };
}
