import type { RecordedException } from 'openray/model';
import type { Entity, TraceTree } from './entities.ts';

/** An exception, and the entity that recorded it where that is another one of the trace. */
export type ShownException = RecordedException & { readonly recordedOn: Entity | undefined };

/**
 * Exceptions of an entity, in the order recorded. A `cause` may be a mere id, as may be `cause.id`: then the exception
 * is the one of that id on another entity of the trace.
 */
export function exceptionsOf(entity: Entity, tree: TraceTree): readonly ShownException[] {
  const { exceptions = [], exceptionId } = entity.cause ?? {};
  if (exceptions.length > 0) return exceptions.map((exception) => ({ ...exception, recordedOn: undefined }));
  if (exceptionId === undefined) return [];
  for (const other of tree.byId.values()) {
    const found = other.cause?.exceptions.find(({ id }) => id === exceptionId);
    if (found) return [{ ...found, recordedOn: other === entity ? undefined : other }];
  }
  return [];
}
