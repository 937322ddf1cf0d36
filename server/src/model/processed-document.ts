import type { Entity } from './entity.ts';
import { printJson } from './exact-json.ts';
import { inferredSegments } from './inferred.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject, readObject } from './json.ts';
import { calledResource } from './service-names.ts';
import type { Trace } from './trace.ts';
import type { EntityId, TraceId } from './trace-id.ts';
import { formatTraceId } from './trace-id.ts';

/** A document as BatchGetTraces returns it; print it with `documentText`. */
export type ProcessedDocument = { readonly id: EntityId; readonly document: JsonObject };

/**
 * The documents that X-Ray returns for a trace: one for each segment, then one for each inferred segment, both by
 * start. Subsegments are nested below their parent, also those of independent documents. Fields that X-Ray does not
 * know stay as they were sent.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
 */
export function processedDocuments(trace: Trace, consumers: ConsumerLinks = NO_LINKS): readonly ProcessedDocument[] {
  const reported = trace.segments.map((segment) => ({ id: segment.id, document: nested(segment, trace, consumers) }));
  const inferred = inferredSegments(trace).map(({ segment, queueTime }) => ({
    id: segment.id,
    document: queueTime ? { ...topFields(segment), subsegments: [nestedFields(queueTime)] } : topFields(segment),
  }));
  return [...reported, ...inferred];
}

/** The same for subsegments whose parent was not received, by start. X-Ray omits them. */
export function orphanDocuments(trace: Trace, consumers: ConsumerLinks = NO_LINKS): readonly ProcessedDocument[] {
  return trace.orphans.map((orphan) => ({ id: orphan.id, document: nested(orphan, trace, consumers) }));
}

/**
 * `printJson` for a processed document. Independent subsegments can nest deeper than the call stack of
 * `JSON.stringify` allows (about 1,500 levels), so this keeps its own stack.
 */
export function documentText(document: JsonObject): string {
  try {
    // Several times as fast as the loop.
    return printJson(document);
  } catch {
    // The type of the error depends on the browser.
    return deepDocumentText(document);
  }
}

function deepDocumentText(document: JsonObject): string {
  let text = '';
  const waiting: (JsonObject | string)[] = [document];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      text += next;
      continue;
    }
    const { subsegments, ...own } = next;
    const children = Array.isArray(subsegments) ? subsegments.filter(isJsonObject) : [];
    const ownText = printJson(own);
    if (children.length === 0) {
      text += ownText;
      continue;
    }
    text += `${ownText.slice(0, -1)},"subsegments":[`;
    waiting.push(']}');
    for (let last = children.length - 1; last >= 0; last--) {
      waiting.push(children[last] as JsonObject);
      if (last > 0) waiting.push(',');
    }
  }
  return text;
}

/** By producer: the entities of other traces that received its messages. */
export type ConsumerLinks = ReadonlyMap<EntityId, readonly { readonly traceId: TraceId; readonly id: EntityId }[]>;

const NO_LINKS: ConsumerLinks = new Map();

/** Adds links to the consumers, which did not exist yet when the producer was sent. */
function addLinks(document: Mutable, { id, fields }: Entity, consumers: ConsumerLinks): void {
  const own = consumers.get(id);
  if (own === undefined) return;
  const links = own.map((consumer) => ({
    trace_id: formatTraceId(consumer.traceId),
    id: consumer.id,
    attributes: { 'aws.xray.reserved.reference_type': 'child' },
  }));
  document.links = [...(Array.isArray(fields.links) ? fields.links : []), ...links];
}

type Mutable = { [key: string]: JsonValue };

function nested(top: Entity, trace: Trace, consumers: ConsumerLinks): JsonObject {
  const document = topFields(top);
  addLinks(document, top, consumers);
  const waiting: { readonly entity: Entity; readonly document: Mutable }[] = [{ entity: top, document }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const subsegments: Mutable[] = [];
    for (const child of trace.childrenOf.get(next.entity.id) ?? []) {
      if (child.kind === 'segment') continue;
      const below = nestedFields(child);
      addLinks(below, child, consumers);
      subsegments.push(below);
      waiting.push({ entity: child, document: below });
    }
    if (subsegments.length > 0) next.document.subsegments = subsegments;
  }
  return document;
}

const HANDLED_AT_TOP: ReadonlySet<string> = new Set([
  'id',
  'name',
  'start_time',
  'trace_id',
  'end_time',
  'parent_id',
  'inferred',
]);

function topFields(entity: Entity): Mutable {
  const { start_time, end_time, inferred } = entity.fields;
  const document: Mutable = { id: entity.id, name: entity.name };
  if (start_time !== undefined) document.start_time = start_time;
  document.trace_id = formatTraceId(entity.traceId);
  if (entity.endUs !== undefined && end_time !== undefined) document.end_time = end_time;
  if (entity.parentId !== undefined) document.parent_id = entity.parentId;
  if (inferred !== undefined) document.inferred = inferred;
  addOtherFields(document, entity, HANDLED_AT_TOP);
  return document;
}

const HANDLED_IN_NESTED: ReadonlySet<string> = new Set([
  'id',
  'name',
  'start_time',
  'end_time',
  'trace_id',
  'parent_id',
  'type',
]);

/** A nested subsegment has no ids of its trace and parent, as the document around it has them. */
function nestedFields(entity: Entity): Mutable {
  const { start_time, end_time } = entity.fields;
  const document: Mutable = { id: entity.id, name: entity.name };
  if (start_time !== undefined) document.start_time = start_time;
  if (entity.endUs !== undefined && end_time !== undefined) document.end_time = end_time;
  addOtherFields(document, entity, HANDLED_IN_NESTED);
  return document;
}

/** Adds all other fields, one by one: copies by spreading took a third of the time of a large trace. */
function addOtherFields(document: Mutable, entity: Entity, handled: ReadonlySet<string>): void {
  const { fields } = entity;
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== undefined && !handled.has(key)) document[key] = cleanField(key, value, entity);
  }
}

function cleanField(key: string, value: JsonValue, entity: Entity): JsonValue {
  if (!isJsonObject(value)) return value;
  switch (key) {
    case 'http':
      return withoutTraced(value);
    case 'cause':
      return withoutEmptyStacks(value);
    case 'aws': {
      const resource = calledResource(entity);
      return resource === undefined ? value : { ...value, resource_names: [resource] };
    }
  }
  return value;
}

function withoutTraced(http: JsonObject): JsonObject {
  const request = readObject(http.request);
  if (request?.traced === undefined) return http;
  const { traced, ...kept } = request;
  return { ...http, request: kept };
}

function withoutEmptyStacks(cause: JsonObject): JsonObject {
  const { exceptions } = cause;
  if (!Array.isArray(exceptions)) return cause;
  return {
    ...cause,
    exceptions: exceptions.map((exception: JsonValue) => {
      if (!isJsonObject(exception) || !Array.isArray(exception.stack) || exception.stack.length > 0) return exception;
      const { stack, ...kept } = exception;
      return kept;
    }),
  };
}
