import type { Entity } from './entity.ts';
import { byStart } from './entity.ts';
import type { EntityId } from './trace-id.ts';

/** The members that decide where an entity belongs. */
type Placed = Pick<Entity, 'id' | 'parentId' | 'kind' | 'startUs'>;

/** Entities of one trace below one another. All lists are by start, then id. The members of `Trace` say more. */
export type Nesting<E> = {
  readonly entities: ReadonlyMap<EntityId, E>;
  readonly segments: readonly E[];
  /** Segments that no entity here has called, and those whose parent is ignored because of a cycle. */
  readonly roots: readonly E[];
  readonly orphans: readonly E[];
  readonly childrenOf: ReadonlyMap<EntityId, readonly E[]>;
  readonly segmentOf: ReadonlyMap<EntityId, E>;
  readonly isPartial: boolean;
};

/**
 * Puts each entity below its parent. `sorted` holds each id once, by `byStart`. Where parent ids form a cycle, the
 * entity of it that comes first loses its parent. Keeps its own stack: depth costs memory only.
 */
export function nestEntities<E extends Placed>(sorted: readonly E[]): Nesting<E> {
  const entities = new Map<EntityId, E>();
  const aheadOfParent: E[] = [];
  for (const entity of sorted) {
    if (entity.parentId !== undefined && !entities.has(entity.parentId)) aheadOfParent.push(entity);
    entities.set(entity.id, entity);
  }
  const detached = cycleBreakers(aheadOfParent, entities);
  const segments: E[] = [];
  const roots: E[] = [];
  const orphans: E[] = [];
  const childrenOf = new Map<EntityId, E[]>();
  let isPartial = false;
  for (const entity of sorted) {
    if (entity.kind === 'segment') segments.push(entity);
    const parent = entity.parentId === undefined ? undefined : entities.get(entity.parentId);
    if (entity.parentId !== undefined && parent === undefined) isPartial = true;
    if (parent !== undefined && !detached.has(entity)) {
      const siblings = childrenOf.get(parent.id);
      if (siblings === undefined) childrenOf.set(parent.id, [entity]);
      else siblings.push(entity);
    } else if (entity.kind === 'subsegment') {
      orphans.push(entity);
    } else {
      roots.push(entity);
    }
  }
  return { entities, segments, roots, orphans, childrenOf, segmentOf: ownersIn(segments, childrenOf), isPartial };
}

/**
 * Of each cycle of parent ids the entity that comes first, whatever the order of arrival. Every cycle has an entity
 * that comes before its parent, so walks start from those only: few in most traces.
 */
function cycleBreakers<E extends Placed>(
  aheadOfParent: readonly E[],
  entities: ReadonlyMap<EntityId, E>,
): ReadonlySet<E> {
  const breakers = new Set<E>();
  const walkOf = new Map<E, E>();
  for (const start of aheadOfParent) {
    let at: E | undefined = start;
    while (at !== undefined && !walkOf.has(at)) {
      walkOf.set(at, start);
      at = at.parentId === undefined ? undefined : entities.get(at.parentId);
    }
    if (at !== undefined && walkOf.get(at) === start) breakers.add(firstOfCycle(at, entities));
  }
  return breakers;
}

function firstOfCycle<E extends Placed>(member: E, entities: ReadonlyMap<EntityId, E>): E {
  let first = member;
  let at = entities.get(member.parentId as EntityId) as E;
  while (at !== member) {
    if (byStart(at, first) < 0) first = at;
    at = entities.get(at.parentId as EntityId) as E;
  }
  return first;
}

function ownersIn<E extends Placed>(
  segments: readonly E[],
  childrenOf: ReadonlyMap<EntityId, readonly E[]>,
): ReadonlyMap<EntityId, E> {
  const owners = new Map<EntityId, E>();
  for (const segment of segments) {
    const waiting = [segment];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      owners.set(next.id, segment);
      for (const child of childrenOf.get(next.id) ?? []) if (child.kind === 'subsegment') waiting.push(child);
    }
  }
  return owners;
}
