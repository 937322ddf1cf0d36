import type { WireTrace } from 'openray/api-types';
import {
  byStart,
  type EntityId,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type Entity as ModelEntity,
  nestEntities,
  parseJson,
  parseTraceId,
  readEntity,
  readText,
  secondsToUs,
  type TraceId,
} from 'openray/model';

/** A segment or subsegment as the server's model reads it, with its position in the tree of the trace. */
export type Entity = ModelEntity & {
  /** The segment that it belongs to: itself for a segment, undefined for an orphan. */
  readonly segment: Entity | undefined;
  /** Its own subsegments and the segments that it called, by start. */
  readonly children: readonly Entity[];
  /** Events of an OpenTelemetry span, by time, without their attributes: the Span tab loads those. */
  readonly events: readonly SpanEvent[];
  /** Type of the called node where it sent no segment of its own; `remote` for a call without a type. */
  readonly inferredType: string | undefined;
};

type SpanEvent = { readonly atUs: number; readonly name: string };

/** A trace as trees of entities. */
export type TraceTree = {
  readonly id: string;
  /** Segments that no other entity of the trace called, by start; normally one. */
  readonly roots: readonly Entity[];
  /** Subsegments whose parent was not received, by start. */
  readonly orphans: readonly Entity[];
  readonly byId: ReadonlyMap<string, Entity>;
  /** From the first start to the last end; the start of an entity in progress counts as its end. */
  readonly startUs: number;
  readonly endUs: number;
  readonly isInProgress: boolean;
};

type Draft = Omit<Entity, 'segment' | 'children' | 'events' | 'inferredType'> & {
  segment: Draft | undefined;
  children: readonly Draft[];
  events: SpanEvent[];
  inferredType: string | undefined;
};

const NO_CHILDREN: readonly Draft[] = [];
const NO_EVENTS: SpanEvent[] = [];

/** Reads the documents of a trace. A document that is not a JSON object is left out; the others are still useful. */
export function readTrace(trace: WireTrace): TraceTree {
  const traceId = parseTraceId(trace.Id);
  const segments = objectsIn(trace.Segments);
  const inferred = segments.filter((document) => document.inferred === true);
  const drafts: Draft[] = [];
  for (const document of segments) {
    if (document.inferred !== true) addDrafts(drafts, document, 'segment', traceId);
  }
  for (const document of objectsIn(trace.Orphans ?? [])) addDrafts(drafts, document, 'subsegment', traceId);
  // The call of an inferred segment shows it; without the call it needs a row of its own.
  for (const document of withoutCall(inferred, drafts)) addDrafts(drafts, document, 'segment', traceId);

  const { entities, roots, orphans, childrenOf, segmentOf } = nestEntities(drafts.sort(byStart));
  let startUs = Number.POSITIVE_INFINITY;
  let endUs = 0;
  let isInProgress = false;
  for (const entity of entities.values()) {
    entity.children = childrenOf.get(entity.id) ?? NO_CHILDREN;
    entity.segment = segmentOf.get(entity.id);
    startUs = Math.min(startUs, entity.startUs);
    endUs = Math.max(endUs, entity.endUs ?? entity.startUs);
    isInProgress ||= entity.endUs === undefined;
  }
  addEvents(entities, trace.Events ?? []);
  return {
    id: trace.Id,
    roots,
    orphans,
    byId: entities,
    startUs: entities.size === 0 ? 0 : startUs,
    endUs,
    isInProgress,
  };
}

/**
 * Start of the bar of an entity. The Initialization of a Lambda function is before the start of its segment, so the bar
 * of a segment begins with the earliest of itself and its subsegments.
 */
export function drawnStartUs(entity: Entity): number {
  if (entity.kind === 'subsegment') return entity.startUs;
  return entity.children.reduce(
    (first, child) => (child.kind === 'subsegment' ? Math.min(first, child.startUs) : first),
    entity.startUs,
  );
}

/** Adds the document's entity and the nested ones. Uses its own stack: documents may be deeper than the call stack. */
function addDrafts(drafts: Draft[], document: JsonObject, topKind: Entity['kind'], traceId: TraceId): void {
  const topParent = readText(document.parent_id) as EntityId | undefined;
  const waiting = [{ fields: document, kind: topKind, parentId: topParent }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { fields, kind, parentId } = next;
    const id = (readText(fields.id) ?? '') as EntityId;
    // Assigned, since a spread copy of so many members takes 50 times as long.
    const position = { segment: undefined, children: NO_CHILDREN, events: NO_EVENTS, inferredType: undefined };
    drafts.push(Object.assign(readEntity(fields, { traceId, id, parentId, kind }), position));
    if (!Array.isArray(fields.subsegments)) continue;
    for (const nested of fields.subsegments as readonly JsonValue[]) {
      if (isJsonObject(nested)) waiting.push({ fields: nested, kind: 'subsegment', parentId: id });
    }
  }
}

/** Sets `inferredType` on the calls of inferred segments; returns the inferred segments whose call is missing. */
function withoutCall(inferred: readonly JsonObject[], drafts: readonly Draft[]): readonly JsonObject[] {
  const typeByCall = new Map(
    inferred.map(({ parent_id, origin }) => [readText(parent_id), readText(origin) ?? 'remote']),
  );
  const found = new Set<string | undefined>();
  for (const draft of drafts) {
    const type = typeByCall.get(draft.id);
    if (type === undefined) continue;
    draft.inferredType = type;
    found.add(draft.id);
  }
  return inferred.filter(({ parent_id }) => !found.has(readText(parent_id)));
}

function addEvents(entities: ReadonlyMap<string, Draft>, events: NonNullable<WireTrace['Events']>): void {
  for (const { Id, Time, Name } of events) {
    const span = entities.get(Id);
    if (!span) continue;
    if (span.events === NO_EVENTS) span.events = [];
    span.events.push({ atUs: secondsToUs(Time), name: Name });
  }
}

/** The root, whose caller is outside of the trace: the earliest segment without a parent id. */
export function rootOf(tree: TraceTree): Entity | undefined {
  return tree.roots.find(({ kind, parentId }) => kind === 'segment' && parentId === undefined);
}

/** The value at a path of object keys, undefined where there is none. */
export function valueAt(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const key of path) current = isJsonObject(current) ? current[key] : undefined;
  return current;
}

function objectsIn(documents: WireTrace['Segments']): readonly JsonObject[] {
  return documents.flatMap(({ Document }) => {
    try {
      const value = parseJson(Document);
      return isJsonObject(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}
