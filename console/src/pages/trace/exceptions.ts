import type { RecordedException } from 'openray/model';
import type { Entity, TraceTree } from './entities.ts';

/** An exception; `recordedOn` is the entity that recorded it, if that is another one of the trace. */
export type ShownException = RecordedException & { readonly recordedOn: Entity | undefined };

/**
 * Exceptions of an entity, in the order recorded. Where `cause`, or `cause.id`, is only an exception id, the exception
 * with this id is looked up on the entities of the trace.
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
