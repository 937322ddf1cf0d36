import type { Document, Entity } from './entity.ts';
import { otherSideId, serverSideId } from './otlp/to-xray/derived-ids.ts';
import type { EntityId } from './trace-id.ts';

type XRayDocument = Extract<Document, { format: 'xray' }>;

/**
 * Gives each finished X-Ray document of a trace an id of its own. Documents with one id are versions of one entity
 * unless their kind or name differ: senders that share an id between a call and the called service, or that choose ids
 * badly. Then the first in the order subsegment, segment, name keeps the id, the others get derived ids, and a
 * segment that shares the id of a subsegment moves below it. Documents that name the id as their parent stay below the
 * one that keeps it.
 *
 * The result depends only on which documents there are. Unfinished documents share no id: they wait for the finished
 * version, of any name. Returns the same list if no id is shared.
 */
export function separateSharedDocumentIds(documents: readonly Document[]): readonly Document[] {
  const sides = sidesOfSharedIds(documents);
  if (sides.size === 0) return documents;
  return documents.map((document) => (document.format === 'xray' ? separated(document, sides) : document));
}

/** By shared id, the kinds and names in their order. */
type SidesById = ReadonlyMap<EntityId, readonly string[]>;

function sidesOfSharedIds(documents: readonly Document[]): SidesById {
  const first = new Map<EntityId, string>();
  const shared = new Map<EntityId, Set<string>>();
  for (const document of documents) {
    const top = document.entities[0];
    if (document.format !== 'xray' || top?.endUs === undefined) continue;
    const side = sideOf(top);
    const known = first.get(document.id);
    if (known === undefined) first.set(document.id, side);
    else if (known !== side) shared.set(document.id, (shared.get(document.id) ?? new Set([known])).add(side));
  }
  return new Map(Array.from(shared, ([id, sides]) => [id, [...sides].sort()]));
}

/** Sorts a call before the called service. */
const sideOf = ({ kind, name }: Entity): string => `${kind === 'segment' ? SEGMENT : SUBSEGMENT}${name}`;
const SUBSEGMENT = '0/';
const SEGMENT = '1/';

function separated(document: XRayDocument, sidesById: SidesById): XRayDocument {
  const [top, ...inline] = document.entities;
  const sides = sidesById.get(document.id) ?? [];
  const at = top === undefined ? -1 : sides.indexOf(sideOf(top));
  if (top === undefined || at <= 0) return document;
  const side = sides[at] as string;
  const isCalled = side.startsWith(SEGMENT) && sides[0]?.startsWith(SUBSEGMENT) === true;
  const isServer = isCalled && sides[at - 1]?.startsWith(SUBSEGMENT) === true;
  const id = isServer ? serverSideId(top.traceId, top.id) : otherSideId(top.traceId, top.id, side);
  const parentId = isCalled ? document.id : top.parentId;
  const fields = { ...top.fields, id, ...(isCalled && { parent_id: document.id }) };
  const moved = inline.map((entity) => (entity.parentId === top.id ? { ...entity, parentId: id } : entity));
  return { ...document, id, entities: [{ ...top, id, parentId, fields }, ...moved] };
}
