import type { Entity } from './entity.ts';
import type { Trace } from './trace.ts';

export type CompletenessOptions = {
  /** The caller of the trace sends nothing: the parent that the earliest segment names need not arrive. */
  readonly isCallerUntraced?: boolean;
};

/**
 * What is still to come, one sentence each; empty for a trace that is complete as far as can be told: something has
 * arrived, everything in it has ended, every parent is there, and every function that Lambda says it ran has its
 * segment. A part that nothing refers to can not be missed.
 */
export function missingParts(trace: Trace, { isCallerUntraced = false }: CompletenessOptions = {}): readonly string[] {
  const caller = isCallerUntraced ? trace.segments[0]?.parentId : undefined;
  const missing: string[] = [];
  if (trace.segments.length === 0) missing.push('no segment has arrived');
  for (const entity of trace.entities.values()) {
    const { name, parentId } = entity;
    if (entity.endUs === undefined) missing.push(`"${name}" is in progress`);
    if (parentId !== undefined && parentId !== caller && !trace.entities.has(parentId)) {
      missing.push(`${parentId}, the parent of "${name}", has not arrived`);
    }
    if (isInvocation(entity) && !hasFunctionSegment(entity, trace)) {
      missing.push(`the segment of the function "${trace.segmentOf.get(entity.id)?.name ?? name}" has not arrived`);
    }
  }
  return missing;
}

/** Where Lambda says that a function was run: its segment, or an attempt at an asynchronous event. */
function isInvocation(entity: Entity): boolean {
  if (entity.http?.status !== 200) return false;
  return entity.origin === 'AWS::Lambda' || (entity.kind === 'subsegment' && /^Attempt #\d+$/.test(entity.name));
}

function hasFunctionSegment({ id }: Entity, trace: Trace): boolean {
  return (trace.childrenOf.get(id) ?? []).some(({ origin }) => origin === 'AWS::Lambda::Function');
}
