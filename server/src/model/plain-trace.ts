import { byStart, type Entity, isCall } from './entity.ts';
import type { SettledDocument } from './lean-document.ts';
import type { EntityId } from './trace-id.ts';

/**
 * A trace of settled documents without unfinished entities, versions, links, cycles or repeated calls: most traces. It
 * is counted and summarised without a `Trace` and a `TraceGraph`, which would take most of the time.
 */
export type PlainTrace = {
  readonly documents: readonly SettledDocument[];
  /** By start, then id. The lists below have the same order, and hold indexes of entities, or NONE. */
  readonly entities: readonly Finished[];
  readonly parents: readonly number[];
  /** The segment that owns the entity, see `Trace`. */
  readonly owners: readonly number[];
  readonly firstChildren: readonly number[];
  readonly nextSiblings: readonly number[];
  /** Whether a segment is directly below. */
  readonly hasCallee: readonly boolean[];
  /** The earliest segment without a parent id. */
  readonly root: number;
  readonly isPartial: boolean;
};

export type Finished = Entity & { readonly endUs: number };

export const NONE = -1;

/** Undefined for a trace that is not plain. */
export function plainTraceOf(documents: readonly SettledDocument[]): PlainTrace | undefined {
  const entities: Finished[] = [];
  for (const document of documents) {
    for (const entity of document.entities) {
      if (entity.links.length > 0 || !isFinished(entity)) return undefined;
      entities.push(entity);
    }
  }
  entities.sort(byStart);
  const indexes = new Map<EntityId, number>();
  for (let index = 0; index < entities.length; index++) indexes.set((entities[index] as Finished).id, index);
  if (indexes.size < entities.length) return undefined;
  const trace = nest(documents, entities, indexes);
  const { parents } = trace;
  for (let index = 0; index < entities.length; index++) {
    // Each cycle has an entity that comes before its parent, or that is its own parent.
    if ((parents[index] as number) >= index && isInCycle(index, parents)) return undefined;
  }
  for (let index = 0; index < entities.length; index++) {
    if (entities[index]?.namespace === 'aws' && isInsideAwsCall(index, trace)) return undefined;
    own(index, trace);
  }
  return trace;
}

const isFinished = (entity: Entity): entity is Finished => entity.endUs !== undefined;

/** A plain trace while it is made. */
type Draft = PlainTrace & { readonly owners: number[] };

/** The draft without its owners: see `own`. */
function nest(
  documents: readonly SettledDocument[],
  entities: readonly Finished[],
  indexes: ReadonlyMap<EntityId, number>,
): Draft {
  const count = entities.length;
  const lists = () => new Array<number>(count).fill(NONE);
  const [parents, owners, firstChildren, nextSiblings] = [lists(), lists(), lists(), lists()];
  const hasCallee = new Array<boolean>(count).fill(false);
  let root = NONE;
  let isPartial = false;
  // From the last one, so that the lists of children are in order.
  for (let index = count - 1; index >= 0; index--) {
    const { parentId, kind } = entities[index] as Finished;
    if (parentId === undefined) {
      if (kind === 'segment') root = index;
      continue;
    }
    const parent = indexes.get(parentId);
    if (parent === undefined) {
      isPartial = true;
      continue;
    }
    parents[index] = parent;
    nextSiblings[index] = firstChildren[parent] as number;
    firstChildren[parent] = index;
    if (kind === 'segment') hasCallee[parent] = true;
  }
  return { documents, entities, parents, owners, firstChildren, nextSiblings, hasCallee, root, isPartial };
}

function isInCycle(index: number, parents: readonly number[]): boolean {
  let at = parents[index] as number;
  for (let steps = 0; at !== NONE && at !== index && steps < parents.length; steps++) at = parents[at] as number;
  return at === index;
}

/** Whether the call may record the same request as a call around it: see `inferredCalls`. */
function isInsideAwsCall(index: number, { entities, parents }: PlainTrace): boolean {
  for (let at = parents[index] as number; at !== NONE; at = parents[at] as number) {
    const entity = entities[at] as Finished;
    if (entity.kind === 'segment') return false;
    if (isCall(entity)) return entity.namespace === 'aws';
  }
  return false;
}

/** Sets the owner of the entity and of the subsegments above it. */
function own(index: number, { entities, parents, owners }: Draft): void {
  let top = index;
  while (entities[top]?.kind === 'subsegment' && owners[top] === NONE && parents[top] !== NONE)
    top = parents[top] as number;
  const owner = entities[top]?.kind === 'segment' ? top : (owners[top] as number);
  for (let at = index; at !== top; at = parents[at] as number) owners[at] = owner;
  owners[top] = owner;
}
