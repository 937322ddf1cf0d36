import type { Entity } from './entity.ts';
import { durationUsOf, isCall } from './entity.ts';
import { calleesOf } from './inferred.ts';
import type { RootCause, RootCauseEntity, RootCauseException, RootCauseService, RootCauses } from './root-cause.ts';
import { calledService, serviceOf } from './service-names.ts';
import type { Trace } from './trace.ts';
import type { EntityId } from './trace-id.ts';

/**
 * The root causes of faults, of errors and of the response time.
 * A fault or error is followed from the outermost failed entity down the calls that failed with it, to recorded
 * exceptions or to a service that sent no segment. A failure without either has no root cause. The response time is
 * followed from the root down the longest child, as long as that took more than half of the root's time.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html
 */
export function rootCauses(trace: Trace): RootCauses {
  const relations = relationsOf(trace);
  return {
    fault: failureRootCauses(trace, relations, (entity) => entity.isFault),
    error: failureRootCauses(trace, relations, (entity) => entity.isError),
    responseTime: responseTimeRootCauses(trace.root, {
      childrenOf: (entity) => trace.childrenOf.get(entity.id) ?? [],
      isUnresolved: (entity) => relations.unresolved.has(entity.id),
    }),
  };
}

type TraceRelations = {
  /** Parents before their children; only entities that belong to a segment. */
  readonly topDown: readonly Entity[];
  readonly parentOf: ReadonlyMap<EntityId, Entity>;
  /** Calls to services that sent no segment. */
  readonly unresolved: ReadonlySet<EntityId>;
  /** The entity that recorded the exception with this id. */
  readonly exceptionOwners: ReadonlyMap<string, Entity>;
};

function relationsOf(trace: Trace): TraceRelations {
  const parentOf = new Map<EntityId, Entity>();
  for (const parent of trace.entities.values()) {
    for (const child of trace.childrenOf.get(parent.id) ?? []) parentOf.set(child.id, parent);
  }
  const topDown = trace.segments.filter((segment) => !parentOf.has(segment.id));
  for (const orphan of trace.orphans) topDown.push(orphan);
  for (let at = 0; at < topDown.length; at++) {
    for (const child of trace.childrenOf.get((topDown[at] as Entity).id) ?? []) topDown.push(child);
  }
  const attached = topDown.filter((entity) => trace.segmentOf.has(entity.id));
  const exceptionOwners = new Map<string, Entity>();
  for (const entity of trace.entities.values()) {
    for (const { id } of entity.cause?.exceptions ?? []) {
      if (id !== undefined && !exceptionOwners.has(id)) exceptionOwners.set(id, entity);
    }
  }
  const unresolved = attached.filter((entity) => isCall(entity) && calleesOf(trace, entity).length === 0);
  return { topDown: attached, parentOf, unresolved: new Set(unresolved.map(({ id }) => id)), exceptionOwners };
}

type EntityPredicate = (entity: Entity) => boolean;

function failureRootCauses(trace: Trace, relations: TraceRelations, isFlagged: EntityPredicate): readonly RootCause[] {
  const steps = stepsToEvidence(trace, relations, isFlagged);
  return [...trace.entities.values()].flatMap((entity) => {
    if (!isFlagged(entity) || !trace.segmentOf.has(entity.id) || !startsFailurePath(entity, relations, isFlagged))
      return [];
    if (isCall(entity)) {
      // The calling service has no failure, so the failure is that of the called service.
      return relations.unresolved.has(entity.id)
        ? [{ services: [inferredService(entity, undefined)], isClientImpacting: false }]
        : [];
    }
    const path = pathFrom(entity, steps);
    if (path === undefined) return [];
    return [
      {
        services: rootCauseServices(path, ({ id }) => relations.unresolved.has(id), undefined),
        isClientImpacting: entity === trace.root,
      },
    ];
  });
}

/** Whether a failure path starts here: no entity above explains the failure. Local subsegments never start a path. */
function startsFailurePath(entity: Entity, { parentOf }: TraceRelations, isFlagged: EntityPredicate): boolean {
  if (entity.kind === 'subsegment' && !isCall(entity)) return false;
  const parent = parentOf.get(entity.id);
  if (parent === undefined || !isFlagged(parent)) return true;
  if (entity.kind === 'subsegment' || !isCall(parent)) return false;
  // A failed call whose caller did not fail: the called service failed.
  const caller = parentOf.get(parent.id);
  return caller === undefined || !isFlagged(caller);
}

/**
 * For each flagged entity with evidence (an exception or an unresolved call) at or below it, the next entities on the
 * path to it; empty if the entity has the evidence itself. Works bottom-up, so it takes linear time at any depth or
 * width.
 */
function stepsToEvidence(
  trace: Trace,
  relations: TraceRelations,
  isFlagged: EntityPredicate,
): ReadonlyMap<EntityId, readonly Entity[]> {
  const steps = new Map<EntityId, readonly Entity[]>();
  for (const entity of relations.topDown.toReversed()) {
    if (!isFlagged(entity)) continue;
    const step = stepFrom(entity, trace, relations, isFlagged, steps);
    if (step !== undefined) steps.set(entity.id, step);
  }
  return steps;
}

function stepFrom(
  entity: Entity,
  trace: Trace,
  relations: TraceRelations,
  isFlagged: EntityPredicate,
  steps: ReadonlyMap<EntityId, readonly Entity[]>,
): readonly Entity[] | undefined {
  if (relations.unresolved.has(entity.id)) return [];
  const exceptions = entity.cause?.exceptions ?? [];
  const reference = entity.cause?.exceptionId;
  if (exceptions.length === 0 && reference !== undefined) {
    const owner = relations.exceptionOwners.get(reference) ?? trace.entities.get(reference as EntityId);
    const path = owner && pathDown(entity, owner, relations, isFlagged);
    return path && steps.has((path.at(-1) as Entity).id) ? path : undefined;
  }
  const candidates = (trace.childrenOf.get(entity.id) ?? []).filter((child) => steps.has(child.id));
  const next = candidates.find((child) => relations.unresolved.has(child.id)) ?? candidates[0];
  if (next !== undefined) return [next];
  return exceptions.length > 0 ? [] : undefined;
}

/**
 * The flagged entities below `from` down to `to`; undefined if `to` is not below, or an entity between is not
 * flagged.
 */
function pathDown(
  from: Entity,
  to: Entity,
  { parentOf }: TraceRelations,
  isFlagged: EntityPredicate,
): readonly Entity[] | undefined {
  const path: Entity[] = [];
  for (let at: Entity | undefined = to; at !== undefined && isFlagged(at); at = parentOf.get(at.id)) {
    if (at === from) return path.length > 0 ? path.reverse() : undefined;
    path.push(at);
  }
  return undefined;
}

function pathFrom(start: Entity, steps: ReadonlyMap<EntityId, readonly Entity[]>): readonly Entity[] | undefined {
  const path = [start];
  let step = steps.get(start.id);
  if (step === undefined) return undefined;
  for (let last = step.at(-1); step !== undefined && last !== undefined; last = step?.at(-1)) {
    path.push(...step);
    step = steps.get(last.id);
  }
  return path;
}

/** `isUnresolved`: whether the entity calls a service that sent no segment. */
export function responseTimeRootCauses(
  root: Entity | undefined,
  {
    childrenOf,
    isUnresolved,
  }: { readonly childrenOf: (entity: Entity) => Iterable<Entity>; readonly isUnresolved: EntityPredicate },
): readonly RootCause[] {
  const rootUs = root && durationUsOf(root);
  if (root === undefined || rootUs === undefined || rootUs === 0) return [];
  const path = [root];
  const next = (entity: Entity) => longestOf(childrenOf(entity), rootUs);
  for (let child = next(root); child !== undefined; child = next(child)) path.push(child);
  if (path.length === 1) return [];
  return [{ services: rootCauseServices(path, isUnresolved, rootUs), isClientImpacting: true }];
}

function longestOf(children: Iterable<Entity>, rootUs: number): Entity | undefined {
  let longest: Entity | undefined;
  let longestUs = rootUs / 2;
  for (const child of children) {
    const durationUs = durationUsOf(child);
    if (durationUs === undefined || durationUs <= longestUs || durationUs > rootUs) continue;
    longest = child;
    longestUs = durationUs;
  }
  return longest;
}

/** `rootUs` is set for response times, whose entities have their share of the root's time. */
function rootCauseServices(
  path: readonly Entity[],
  isUnresolved: EntityPredicate,
  rootUs: number | undefined,
): readonly RootCauseService[] {
  const services: RootCauseService[] = [];
  let entityPath: RootCauseEntity[] = [];
  for (const entity of path) {
    if (entity.kind === 'segment') {
      entityPath = [];
      services.push({ ...serviceOf(entity), isInferred: false, entityPath });
    }
    entityPath.push(rootCauseEntity(entity, rootUs));
    if (isUnresolved(entity)) services.push(inferredService(entity, rootUs));
  }
  return services;
}

function rootCauseEntity(entity: Entity, rootUs: number | undefined): RootCauseEntity {
  return {
    name: entity.name,
    isRemote: isCall(entity),
    exceptions: rootUs === undefined ? (entity.cause?.exceptions ?? []).map(rootCauseException) : [],
    coverage: coverageOf(entity, rootUs),
  };
}

function inferredService(call: Entity, rootUs: number | undefined): RootCauseService {
  const receiver = { name: call.name, isRemote: false, exceptions: [], coverage: coverageOf(call, rootUs) };
  return { ...calledService(call), isInferred: true, entityPath: [receiver] };
}

function coverageOf(entity: Entity, rootUs: number | undefined): number | undefined {
  return rootUs === undefined ? undefined : (durationUsOf(entity) ?? 0) / rootUs;
}

function rootCauseException({
  type,
  message,
}: {
  readonly type?: string;
  readonly message?: string;
}): RootCauseException {
  return { name: type ?? '', message: message ?? '' };
}
