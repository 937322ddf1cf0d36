import type { WireTrace } from 'openray/api-types';
import type { Outcome } from '../../shared/outcome.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** A segment or subsegment as the timeline shows it. Times in microseconds since 1970. */
export type Entity = {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly kind: 'segment' | 'subsegment';
  readonly name: string;
  readonly startUs: number;
  /** Undefined while it is in progress. */
  readonly endUs: number | undefined;
  readonly outcome: Outcome;
  readonly origin: string | null;
  readonly namespace: string | undefined;
  /** The segment that sent it: itself for a segment. */
  readonly segment: Entity | undefined;
  /** As it was received, without `subsegments`. */
  readonly fields: JsonObject;
  /** Own subsegments and the segments that were called from here, by start. */
  readonly children: readonly Entity[];
  /** What an OpenTelemetry span says happened in it, by time; its attributes are asked for with the span. */
  readonly events: readonly { readonly atUs: number; readonly name: string }[];
  /** What this call reached when no segment came from there: the type of that node, `remote` for a plain call. */
  readonly inferredType: string | undefined;
};

/** A trace as a forest. */
export type TraceTree = {
  readonly id: string;
  /** Segments that nobody in the trace called, by start; normally the one root. */
  readonly roots: readonly Entity[];
  /** Subsegments whose parent has not arrived, by start. */
  readonly orphans: readonly Entity[];
  readonly byId: ReadonlyMap<string, Entity>;
  /** From the first start to the last end (or start, where things are unfinished). */
  readonly startUs: number;
  readonly endUs: number;
  readonly isInProgress: boolean;
};

type Draft = { -readonly [K in keyof Entity]: Entity[K] } & { children: Draft[]; events: Entity['events'][number][] };

const NO_EVENTS: Draft['events'] = [];

/** Reads the documents of a trace. One that is no JSON object is left out, since the others still tell something. */
export function readTrace(trace: WireTrace): TraceTree {
  const byId = new Map<string, Draft>();
  const tops: Draft[] = [];
  const inferred: JsonObject[] = [];
  for (const { Document } of trace.Segments) {
    const document = parseObject(Document);
    if (!document) continue;
    if (document.inferred === true) inferred.push(document);
    else tops.push(toDraft(document, 'segment', undefined, byId));
  }
  const orphans = (trace.Orphans ?? []).flatMap(({ Document }) => {
    const document = parseObject(Document);
    return document ? [toDraft(document, 'subsegment', undefined, byId)] : [];
  });

  for (const document of inferred) {
    const caller = byId.get(textOf(document.parent_id) ?? '');
    if (caller) caller.inferredType = textOf(document.origin) ?? 'remote';
    // Its caller is away, so this is all there is to see of the call.
    else tops.push(toDraft(document, 'segment', undefined, byId));
  }
  for (const { Id, Time, Name } of trace.Events ?? []) {
    const span = byId.get(Id);
    if (!span) continue;
    if (span.events === NO_EVENTS) span.events = [];
    span.events.push({ atUs: Math.round(Time * 1_000_000), name: Name });
  }
  const cut = cycleBreakers(tops, byId);
  const roots = tops.filter((top) => {
    const caller = cut.has(top) ? undefined : byId.get(top.parentId ?? '');
    caller?.children.push(top);
    return caller === undefined;
  });

  let startUs = Number.POSITIVE_INFINITY;
  let endUs = 0;
  let isInProgress = false;
  for (const entity of byId.values()) {
    startUs = Math.min(startUs, entity.startUs);
    endUs = Math.max(endUs, entity.endUs ?? entity.startUs);
    isInProgress ||= entity.endUs === undefined;
    entity.children.sort(byStart);
  }
  return {
    id: trace.Id,
    roots: roots.sort(byStart),
    orphans: orphans.sort(byStart),
    byId,
    startUs: byId.size === 0 ? 0 : startUs,
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

function toDraft(
  document: JsonObject,
  kind: Entity['kind'],
  parent: Draft | undefined,
  byId: Map<string, Draft>,
): Draft {
  const { subsegments } = document;
  const start = document.start_time;
  const end = document.end_time;
  const startUs = typeof start === 'number' ? Math.round(start * 1_000_000) : 0;
  const draft: Draft = {
    id: textOf(document.id) ?? '',
    parentId: textOf(document.parent_id) ?? parent?.id,
    kind,
    name: textOf(document.name) ?? '(no name)',
    startUs,
    endUs: typeof end === 'number' ? Math.max(startUs, Math.round(end * 1_000_000)) : undefined,
    outcome: outcomeOf(document),
    origin: textOf(document.origin) ?? null,
    namespace: textOf(document.namespace),
    segment: undefined,
    fields: subsegments === undefined ? document : withoutSubsegments(document),
    children: [],
    events: NO_EVENTS,
    inferredType: undefined,
  };
  draft.segment = kind === 'segment' ? draft : parent?.segment;
  byId.set(draft.id, draft);
  if (Array.isArray(subsegments)) {
    for (const child of subsegments as readonly Json[]) {
      if (isObject(child)) draft.children.push(toDraft(child, 'subsegment', draft, byId));
    }
  }
  return draft;
}

/** Most have none, and keep what was parsed: a copy of each took a third of the time of a large trace. */
function withoutSubsegments({ subsegments, ...fields }: JsonObject): JsonObject {
  return fields;
}

/** The flags that were sent, else the HTTP status; throttle before fault before error. */
function outcomeOf(document: JsonObject): Outcome {
  const status = valueAt(document, 'http', 'response', 'status');
  const code = typeof status === 'number' ? status : 0;
  if (document.throttle === true || code === 429) return 'throttle';
  if (document.fault === true || (code >= 500 && code < 600)) return 'fault';
  return document.error === true || (code >= 400 && code < 500) ? 'error' : 'ok';
}

/**
 * Segments whose parent is to be ignored, because following parents would lead around in a circle: of each circle its
 * earliest segment. Every entity is walked over once.
 */
function cycleBreakers(tops: readonly Draft[], byId: ReadonlyMap<string, Draft>): ReadonlySet<Draft> {
  const breakers = new Set<Draft>();
  const done = new Set<Draft>();
  for (const top of tops) {
    const path: Draft[] = [];
    const onPath = new Set<Draft>();
    let here: Draft | undefined = top;
    while (here && !done.has(here) && !onPath.has(here)) {
      path.push(here);
      onPath.add(here);
      here = byId.get(here.parentId ?? '');
    }
    if (here && onPath.has(here)) {
      const circle = path.slice(path.indexOf(here)).filter(({ kind }) => kind === 'segment');
      const earliest = circle.sort(byStart)[0];
      if (earliest) breakers.add(earliest);
    }
    for (const entity of path) done.add(entity);
  }
  return breakers;
}

/** The value at a path of object keys, undefined where there is none. */
export function valueAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path) here = isObject(here) ? here[key] : undefined;
  return here;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The string, or undefined when it is empty or none. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseObject(document: string): JsonObject | undefined {
  try {
    const value = JSON.parse(document) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function byStart(a: Entity, b: Entity): number {
  return a.startUs - b.startUs || (a.id < b.id ? -1 : 1);
}
