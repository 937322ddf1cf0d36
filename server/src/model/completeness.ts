import type { Entity } from './entity.ts';
import type { Trace } from './trace.ts';

export type CompletenessOptions = {
  /** The caller of the trace sends no segments: the parent of the earliest segment is not required. */
  readonly isCallerUntraced?: boolean;
};

/**
 * One sentence for each part that is still missing; empty for a complete trace. A trace is complete if it has a
 * segment, all its entities have ended, all their parents are present, and every function that Lambda ran has its
 * segment. A part that no entity refers to cannot be detected as missing.
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

/** Whether Lambda reports that it ran a function: in its own segment, or in an attempt of an asynchronous event. */
function isInvocation(entity: Entity): boolean {
  if (entity.http?.status !== 200) return false;
  return entity.origin === 'AWS::Lambda' || (entity.kind === 'subsegment' && /^Attempt #\d+$/.test(entity.name));
}

function hasFunctionSegment({ id }: Entity, trace: Trace): boolean {
  return (trace.childrenOf.get(id) ?? []).some(({ origin }) => origin === 'AWS::Lambda::Function');
}
