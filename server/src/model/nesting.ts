import type { Entity } from './entity.ts';
import { byStart } from './entity.ts';
import type { EntityId } from './trace-id.ts';

/** The members that decide the parent of an entity. */
type Nestable = Pick<Entity, 'id' | 'parentId' | 'kind' | 'startUs'>;

/** Entities of one trace with their parents and children. Lists are by start, then id. For members see `Trace`. */
export type Nesting<E> = {
  readonly entities: ReadonlyMap<EntityId, E>;
  readonly segments: readonly E[];
  /** Segments without a caller among the entities, and segments whose parent is ignored because of a cycle. */
  readonly roots: readonly E[];
  readonly orphans: readonly E[];
  readonly childrenOf: ReadonlyMap<EntityId, readonly E[]>;
  readonly segmentOf: ReadonlyMap<EntityId, E>;
  readonly isPartial: boolean;
};

/**
 * Puts each entity below its parent. `sorted` has each id once, in the order of `byStart`. If parent ids form a cycle,
 * the parent of its first entity is ignored. Keeps its own stack, so depth costs memory only.
 */
export function nestEntities<E extends Nestable>(sorted: readonly E[]): Nesting<E> {
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
 * The first entity of each cycle of parent ids. Every cycle has an entity that comes before its parent, so the
 * search starts only from those; most traces have few.
 */
function cycleBreakers<E extends Nestable>(
  aheadOfParent: readonly E[],
  entities: ReadonlyMap<EntityId, E>,
): ReadonlySet<E> {
  const breakers = new Set<E>();
  const visitedFrom = new Map<E, E>();
  for (const start of aheadOfParent) {
    let at: E | undefined = start;
    while (at !== undefined && !visitedFrom.has(at)) {
      visitedFrom.set(at, start);
      at = at.parentId === undefined ? undefined : entities.get(at.parentId);
    }
    if (at !== undefined && visitedFrom.get(at) === start) breakers.add(firstOfCycle(at, entities));
  }
  return breakers;
}

function firstOfCycle<E extends Nestable>(member: E, entities: ReadonlyMap<EntityId, E>): E {
  let first = member;
  let at = entities.get(member.parentId as EntityId) as E;
  while (at !== member) {
    if (byStart(at, first) < 0) first = at;
    at = entities.get(at.parentId as EntityId) as E;
  }
  return first;
}

function ownersIn<E extends Nestable>(
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
