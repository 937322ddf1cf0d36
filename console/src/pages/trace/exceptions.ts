import { type Entity, isObject, type Json, type TraceTree, textOf, valueAt } from './entities.ts';

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
  const id = textOf(cause) ?? textOf(valueAt(cause, 'id'));
  if (id === undefined) return [];
  for (const other of tree.byId.values()) {
    const found = listOf(other.fields.cause).find((value) => valueAt(value, 'id') === id);
    if (found) return [toException(found, other === entity ? undefined : other)];
  }
  return [];
}

function listOf(cause: Json | undefined): readonly Json[] {
  const list = valueAt(cause, 'exceptions');
  return Array.isArray(list) ? (list as readonly Json[]).filter(isObject) : [];
}

function toException(value: Json, recordedOn: Entity | undefined): RecordedException {
  const stack = valueAt(value, 'stack');
  const truncated = valueAt(value, 'truncated');
  return {
    type: textOf(valueAt(value, 'type')) ?? 'Exception',
    message: textOf(valueAt(value, 'message')) ?? '',
    isRemote: valueAt(value, 'remote') === true,
    frames: Array.isArray(stack) ? (stack as readonly Json[]).filter(isObject).map(toFrame) : [],
    truncated: typeof truncated === 'number' ? truncated : 0,
    recordedOn,
  };
}

/** Frames of ES modules come with `line: null`. */
function toFrame(value: Json): Frame {
  const line = valueAt(value, 'line');
  return {
    path: textOf(valueAt(value, 'path')),
    line: typeof line === 'number' ? line : undefined,
    label: textOf(valueAt(value, 'label')),
  };
}
