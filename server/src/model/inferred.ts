import type { Entity } from './entity.ts';
import { isCall } from './entity.ts';
import { definedMembers } from './json.ts';
import { calledResource, calledService, isQueueSend, isSameRequest } from './service-names.ts';
import type { Trace } from './trace.ts';
import type { EntityId, TraceId } from './trace-id.ts';
import { formatTraceId } from './trace-id.ts';

/** The segments below a call; empty while the called service has sent none. */
export function calleesOf(trace: Trace, call: Entity): readonly Entity[] {
  return (trace.childrenOf.get(call.id) ?? []).filter((child) => child.kind === 'segment');
}

/**
 * Finished calls below a segment whose called service sent no segment of its own, by start. Of calls that are one
 * request (see `isSameRequest`) there is one.
 */
export function inferredCalls(trace: Trace): readonly Entity[] {
  const calls = [...trace.entities.values()].filter(
    (entity) => isCall(entity) && entity.endUs !== undefined && trace.segmentOf.has(entity.id),
  );
  const repeated = repeatedCalls(trace, calls);
  return calls.filter((call) => !repeated.has(call) && calleesOf(trace, call).length === 0);
}

/** Calls that record a request again. The one with the called service's segment stays, else the one with a resource. */
function repeatedCalls(trace: Trace, calls: readonly Entity[]): ReadonlySet<Entity> {
  const repeated = new Set<Entity>();
  for (const inner of calls) {
    const outer = callAround(trace, inner);
    if (outer === undefined || !isSameRequest(outer, inner)) continue;
    const isInnerBetter =
      calleesOf(trace, inner).length > 0 ||
      (calleesOf(trace, outer).length === 0 &&
        calledResource(outer) === undefined &&
        calledResource(inner) !== undefined);
    repeated.add(isInnerBetter ? outer : inner);
  }
  return repeated;
}

/** Instrumentations put few subsegments between two records of a request. The bound keeps deep traces linear. */
const MAX_LEVELS_BETWEEN = 8;

/** The finished call of the same segment that contains the call. */
function callAround({ entities }: Trace, call: Entity): Entity | undefined {
  let at: Entity | undefined = call;
  for (let level = 0; level < MAX_LEVELS_BETWEEN; level++) {
    at = at.parentId === undefined ? undefined : entities.get(at.parentId);
    if (at === undefined || at.kind === 'segment') return undefined;
    if (isCall(at) && at.endUs !== undefined) return at;
  }
  return undefined;
}

/** A segment for a service that sent none. `queueTime` is the time that a message waited in its queue. */
export type InferredSegment = { readonly segment: Entity; readonly queueTime: Entity | undefined };

/**
 * One segment for each inferred call, in the order of the calls. Ids are derived from those of the trace and the call,
 * so they are the same each time. There is none for a call once the called service has sent its segment.
 */
export function inferredSegments(trace: Trace): readonly InferredSegment[] {
  return inferredCalls(trace).map((call) => {
    const segment = inferredSegment(call);
    return { segment, queueTime: isQueueSend(call) ? queueTime(call, segment.id) : undefined };
  });
}

function inferredSegment(call: Entity): Entity {
  const { http, aws, error, fault, throttle, sql, start_time, end_time } = call.fields;
  const id = derivedId(call.traceId, call.id, 'segment');
  const { type } = calledService(call);
  const origin = type === 'remote' ? undefined : type;
  const fields = {
    id,
    name: call.name,
    start_time,
    trace_id: formatTraceId(call.traceId),
    end_time,
    parent_id: call.id,
    inferred: true,
    http,
    aws,
    error,
    fault,
    throttle,
    sql,
    origin,
  };
  return {
    ...call,
    ...NOT_COPIED,
    id,
    parentId: call.id,
    kind: 'segment',
    origin,
    fields: definedMembers(fields) ?? {},
  };
}

function queueTime(call: Entity, parentId: EntityId): Entity {
  const id = derivedId(call.traceId, call.id, 'QueueTime');
  const { start_time, end_time } = call.fields;
  return {
    ...call,
    ...NOT_COPIED,
    id,
    parentId,
    name: 'QueueTime',
    http: undefined,
    outcome: 'ok',
    isFault: false,
    isError: false,
    isThrottle: false,
    fields: definedMembers({ id, name: 'QueueTime', start_time, end_time }) ?? {},
  };
}

const NOT_COPIED = {
  namespace: undefined,
  origin: undefined,
  cause: undefined,
  annotations: {},
  metadata: undefined,
  links: [],
} as const satisfies Partial<Entity>;

/**
 * 16 hex digits of a hash: two 32-bit lanes in the form of FNV-1a with different multipliers, each finished with
 * MurmurHash3's mixing. Ids must be spread and stable, not secret. Browsers have no synchronous hash.
 */
function derivedId(traceId: TraceId, callId: EntityId, role: string): EntityId {
  let high = 0x811c9dc5;
  let low = 0x9747b28c;
  for (const character of `${traceId}${callId}${role}`) {
    const code = character.charCodeAt(0);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
  }
  return `${hex(mixed(high ^ (low >>> 7)))}${hex(mixed(low ^ (high >>> 11)) || 1)}` as EntityId;
}

function mixed(hash: number): number {
  let mixing = hash;
  mixing = Math.imul(mixing ^ (mixing >>> 16), 0x85ebca6b);
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35);
  return (mixing ^ (mixing >>> 16)) >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
