import { compactJson, exceedsBytes } from './compact-json.ts';
import type { Document, Entity } from './entity.ts';
import { parseExactNumbers, printJson } from './exact-json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';
import { repeatedSubsegmentId } from './otlp/to-xray/derived-ids.ts';
import { type EntityIdentity, readEntity } from './read-entity.ts';
import { readTimeUs } from './time.ts';
import type { EntityId, TraceId } from './trace-id.ts';
import { readEntityId, readTraceId } from './trace-id.ts';

/** `DocumentTooLarge` and `DocumentTooDeep` are openray's own; the others are X-Ray's. */
export type RejectionCode =
  | 'DocumentTooLarge'
  | 'DocumentTooDeep'
  | 'ParseError'
  | 'UnknownType'
  | 'MissingId'
  | 'InvalidId'
  | 'MissingName'
  | 'InvalidName'
  | 'MissingTraceId'
  | 'InvalidTraceId'
  | 'MissingStartTime'
  | 'MissingEndTime'
  | 'InProgressSegmentHasEndTime'
  | 'InProgressSubsegmentHasEndTime'
  | 'MissingParentId'
  | 'InvalidParentId';

/** Why a document was rejected, as in `UnprocessedTraceSegments`. `id` is that of the top entity, as it was sent. */
export type Rejection = {
  readonly ok: false;
  readonly id: string | undefined;
  readonly code: RejectionCode;
  readonly message: string;
};

export type ParsedDocument = { readonly ok: true; readonly document: Document } | Rejection;

/** `maxBytes` counts UTF-8, `maxDepth` levels of arrays and objects: two for each nested subsegment. */
export type DocumentLimits = { readonly maxBytes: number; readonly maxDepth: number };

/** X-Ray's 64 KB. The depth allows 500 nested subsegments, which `JSON.stringify` can print. */
export const DEFAULT_LIMITS: DocumentLimits = { maxBytes: 64 * 1024, maxDepth: 1_024 };

type Kind = 'segment' | 'subsegment' | 'entity';
type Failure = { readonly code: RejectionCode; readonly kind: Kind };

/**
 * Parses one text of a sender: a segment, an independent subsegment, or an array of them (an extension of openray).
 * Gives one result for each document; those of an array share `seq`. A document is accepted as a whole: an invalid
 * inline subsegment rejects it under the id of its top entity.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
 */
export function parseDocument(
  text: string,
  seq: number,
  limits: DocumentLimits = DEFAULT_LIMITS,
): readonly ParsedDocument[] {
  if (exceedsBytes(text, limits.maxBytes)) return [rejection(undefined, 'DocumentTooLarge', 'entity')];
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return [rejection(undefined, 'ParseError', text.trimStart().startsWith('{') ? 'segment' : 'entity')];
  }
  const compact = compactJson(text);
  if (compact.depth > limits.maxDepth) return [rejection(idAsSent(value), 'DocumentTooDeep', 'entity')];
  if (compact.hasExactNumbers) value = parseExactNumbers(compact.text);
  if (!Array.isArray(value)) return [readDocument(value, compact.text, seq)];
  if (value.length === 0) return [rejection(undefined, 'MissingId', 'segment')];
  return value.map((element) => readDocument(element, printJson(element), seq));
}

function readDocument(value: JsonValue, text: string, seq: number): ParsedDocument {
  if (!isJsonObject(value)) return rejection(undefined, 'ParseError', 'entity');
  const top = checkTop(value);
  if ('code' in top) return rejection(idAsSent(value), top.code, top.kind);
  const entities = readTree(value, top);
  if ('code' in entities) return rejection(idAsSent(value), entities.code, entities.kind);
  return { ok: true, document: { format: 'xray', traceId: top.traceId, id: top.id, seq, text, entities } };
}

/** X-Ray's order of checks; the first that fails is reported. */
function checkTop(fields: JsonObject): EntityIdentity | Failure {
  const type = fields.type ?? '';
  if (type !== '' && type !== 'segment' && type !== 'subsegment') return { code: 'UnknownType', kind: 'entity' };
  const kind = type === 'subsegment' ? 'subsegment' : 'segment';
  const named = checkIdAndName(fields);
  if (named !== undefined) return { code: named, kind };
  const traceText = fields.trace_id ?? '';
  if (traceText === '') return { code: 'MissingTraceId', kind };
  const traceId = typeof traceText === 'string' ? readDocumentTraceId(traceText) : undefined;
  if (traceId === undefined) return { code: 'InvalidTraceId', kind };
  const timed = checkTimes(fields, kind);
  if (timed !== undefined) return { code: timed, kind };
  const parentText = fields.parent_id ?? '';
  if (kind === 'subsegment' && parentText === '') return { code: 'MissingParentId', kind };
  const parentId = readId(parentText);
  if (parentText !== '' && parentId === undefined) return { code: 'InvalidParentId', kind };
  return { traceId, id: readId(fields.id) as EntityId, parentId, kind };
}

/**
 * The top entity and, depth first, its inline subsegments, each checked like the top one. Keeps its own stack, so
 * deep documents cannot overflow the call stack. A subsegment with the id of an earlier one gets an id of its own:
 * the sender recorded both, and a repeat within a document would be of no use to it.
 */
function readTree(value: JsonObject, top: EntityIdentity): readonly Entity[] | Failure {
  const { traceId } = top;
  const entities = [readEntity(value, top)];
  const counts = new Map<EntityId, number>([[top.id, 1]]);
  const waiting: { readonly value: JsonValue; readonly parentId: EntityId }[] = [];
  const enqueue = (parent: JsonObject, parentId: EntityId) => {
    const children = parent.subsegments;
    if (!Array.isArray(children)) return;
    for (let last = children.length - 1; last >= 0; last--) waiting.push({ value: children[last], parentId });
  };
  enqueue(value, top.id);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!isJsonObject(next.value)) return { code: 'ParseError', kind: 'entity' };
    const failure = checkInline(next.value);
    if (failure !== undefined) return failure;
    const sentId = readId(next.value.id) as EntityId;
    const sameId = counts.get(sentId) ?? 0;
    counts.set(sentId, sameId + 1);
    const id = sameId === 0 ? sentId : repeatedSubsegmentId(traceId, sentId, sameId);
    const fields = id === sentId ? next.value : { ...next.value, id };
    entities.push(readEntity(fields, { traceId, id, parentId: next.parentId, kind: 'subsegment' }));
    enqueue(next.value, id);
  }
  return entities;
}

function checkInline(fields: JsonObject): Failure | undefined {
  const type = fields.type ?? '';
  if (type !== '' && type !== 'segment' && type !== 'subsegment') return { code: 'UnknownType', kind: 'entity' };
  const code = checkIdAndName(fields) ?? checkTimes(fields, 'subsegment');
  return code && { code, kind: 'subsegment' };
}

function checkIdAndName(fields: JsonObject): RejectionCode | undefined {
  const id = fields.id ?? '';
  if (id === '') return 'MissingId';
  if (readId(id) === undefined) return 'InvalidId';
  const name = fields.name ?? '';
  if (name === '') return 'MissingName';
  return typeof name === 'string' && isName(name) ? undefined : 'InvalidName';
}

function checkTimes(fields: JsonObject, kind: 'segment' | 'subsegment'): RejectionCode | undefined {
  if (readTimeUs(fields.start_time) === undefined) return 'MissingStartTime';
  const isInProgress = fields.in_progress === true;
  const hasEnd = readTimeUs(fields.end_time) !== undefined;
  if (isInProgress && hasEnd) {
    return kind === 'segment' ? 'InProgressSegmentHasEndTime' : 'InProgressSubsegmentHasEndTime';
  }
  return isInProgress || hasEnd ? undefined : 'MissingEndTime';
}

const ASCII_NAME = /^[\w\s.:/%&#=+\\\-@]+$/;
const UNICODE_NAME = /^[\p{L}\p{N}\p{Z}\s_.:/%&#=+\\\-@]+$/u;

/**
 * Unicode letters, digits, white space and `_.:/%&#=+\-@`, also for subsegments. X-Ray rejects all other characters.
 */
function isName(name: string): boolean {
  return ASCII_NAME.test(name) || UNICODE_NAME.test(name);
}

const ZERO_ID = '0'.repeat(16);
const ZERO_TRACE_ID = '0'.repeat(32);

function readId(value: JsonValue | undefined): EntityId | undefined {
  const id = typeof value === 'string' ? readEntityId(value) : undefined;
  return id === ZERO_ID ? undefined : id;
}

/** X-Ray's form only. SDKs in Lambda write all zeros if there is no trace; that must not start one. */
function readDocumentTraceId(text: string): TraceId | undefined {
  const id = text.startsWith('1-') ? readTraceId(text) : undefined;
  return id === ZERO_TRACE_ID ? undefined : id;
}

function idAsSent(value: JsonValue): string | undefined {
  return isJsonObject(value) && typeof value.id === 'string' ? value.id : undefined;
}

function rejection(id: string | undefined, code: RejectionCode, kind: Kind): Rejection {
  const message = `Invalid ${kind}. ErrorCode: ${code}${kind === 'subsegment' ? ', Cause: null' : ''}`;
  return { ok: false, id, code, message };
}
