import { at, type Entity, isObject, type Json, type TraceTree, text } from './entities.ts';

export type Frame = {
  readonly path: string | undefined;
  readonly line: number | undefined;
  readonly label: string | undefined;
};

export type RecordedException = {
  readonly type: string;
  readonly message: string;
  readonly isRemote: boolean;
  readonly frames: readonly Frame[];
  /** Frames that the sender left out. */
  readonly truncated: number;
  /** The entity that recorded it, where that is another one of the trace. */
  readonly recordedOn: Entity | undefined;
};

/**
 * Exceptions of an entity, in the order recorded. A `cause` may be a mere id, as may be `cause.id`: then the exception
 * is the one of that id on another entity of the trace.
 */
export function exceptionsOf(entity: Entity, tree: TraceTree): readonly RecordedException[] {
  const { cause } = entity.fields;
  const own = listOf(cause).map((value) => toException(value, undefined));
  if (own.length > 0) return own;
  const id = text(cause) ?? text(at(cause, 'id'));
  if (id === undefined) return [];
  for (const other of tree.byId.values()) {
    const found = listOf(other.fields.cause).find((value) => at(value, 'id') === id);
    if (found) return [toException(found, other === entity ? undefined : other)];
  }
  return [];
}

function listOf(cause: Json | undefined): readonly Json[] {
  const list = at(cause, 'exceptions');
  return Array.isArray(list) ? (list as readonly Json[]).filter(isObject) : [];
}

function toException(value: Json, recordedOn: Entity | undefined): RecordedException {
  const stack = at(value, 'stack');
  const truncated = at(value, 'truncated');
  return {
    type: text(at(value, 'type')) ?? 'Exception',
    message: text(at(value, 'message')) ?? '',
    isRemote: at(value, 'remote') === true,
    frames: Array.isArray(stack) ? (stack as readonly Json[]).filter(isObject).map(toFrame) : [],
    truncated: typeof truncated === 'number' ? truncated : 0,
    recordedOn,
  };
}

/** Frames of ES modules come with `line: null`. */
function toFrame(value: Json): Frame {
  const line = at(value, 'line');
  return {
    path: text(at(value, 'path')),
    line: typeof line === 'number' ? line : undefined,
    label: text(at(value, 'label')),
  };
}
