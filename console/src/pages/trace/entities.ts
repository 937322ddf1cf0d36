import type { WireTrace } from 'openray/api-types';
import {
  byStart,
  type EntityId,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type Entity as ModelEntity,
  nestEntities,
  parseTraceId,
  readEntity,
  readText,
  secondsToUs,
  type TraceId,
} from 'openray/model';

/** A segment or subsegment as the server's model reads it, and its place in the timeline. */
export type Entity = ModelEntity & {
  /** The segment that sent it: itself for a segment. */
  readonly segment: Entity | undefined;
  /** Own subsegments and the segments that were called from here, by start. */
  readonly children: readonly Entity[];
  /** What an OpenTelemetry span says happened in it, by time; its attributes are asked for with the span. */
  readonly events: readonly SpanEvent[];
  /** What this call reached when no segment came from there: the type of that node, `remote` for a plain call. */
  readonly inferredType: string | undefined;
};

type SpanEvent = { readonly atUs: number; readonly name: string };

/** A trace as a forest. */
export type TraceTree = {
  readonly id: string;
  /** Segments that no other part of the trace called, by start; normally the one root. */
  readonly roots: readonly Entity[];
  /** Subsegments whose parent has not arrived, by start. */
  readonly orphans: readonly Entity[];
  readonly byId: ReadonlyMap<string, Entity>;
  /** From the first start to the last end (or start, where things are unfinished). */
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

/** Reads the documents of a trace. One that is no JSON object is left out, since the others still tell something. */
export function readTrace(trace: WireTrace): TraceTree {
  const traceId = parseTraceId(trace.Id);
  const segments = objectsIn(trace.Segments);
  const inferred = segments.filter((document) => document.inferred === true);
  const drafts: Draft[] = [];
  for (const document of segments) {
    if (document.inferred !== true) addDrafts(drafts, document, 'segment', traceId);
  }
  for (const document of objectsIn(trace.Orphans ?? [])) addDrafts(drafts, document, 'subsegment', traceId);
  // Without its call, no other line shows an inferred segment.
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
 * Where the bar of an entity begins. The Initialization of a Lambda function lies before the segment that holds it,
 * so a segment is drawn from the first start among itself and its subsegments.
 */
export function drawnStartUs(entity: Entity): number {
  if (entity.kind === 'subsegment') return entity.startUs;
  return entity.children.reduce(
    (first, child) => (child.kind === 'subsegment' ? Math.min(first, child.startUs) : first),
    entity.startUs,
  );
}

/** Adds the document's entity and those nested in it. Keeps its own stack: documents may be deeper than the call stack. */
function addDrafts(drafts: Draft[], document: JsonObject, topKind: Entity['kind'], traceId: TraceId): void {
  const topParent = readText(document.parent_id) as EntityId | undefined;
  const waiting = [{ fields: document, kind: topKind, parentId: topParent }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { fields, kind, parentId } = next;
    const id = (readText(fields.id) ?? '') as EntityId;
    // A spread copy of so many members takes 50 times as long.
    const place = { segment: undefined, children: NO_CHILDREN, events: NO_EVENTS, inferredType: undefined };
    drafts.push(Object.assign(readEntity(fields, { traceId, id, parentId, kind }), place));
    if (!Array.isArray(fields.subsegments)) continue;
    for (const nested of fields.subsegments as readonly JsonValue[]) {
      if (isJsonObject(nested)) waiting.push({ fields: nested, kind: 'subsegment', parentId: id });
    }
  }
}

/** Marks the calls that inferred segments stand for; returns the inferred segments whose call is missing. */
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

/** The value at a path of object keys, undefined where there is none. */
export function valueAt(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const key of path) here = isJsonObject(here) ? here[key] : undefined;
  return here;
}

function objectsIn(documents: WireTrace['Segments']): readonly JsonObject[] {
  return documents.flatMap(({ Document }) => {
    try {
      const value = JSON.parse(Document) as JsonValue;
      return isJsonObject(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}
