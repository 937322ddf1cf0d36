import type { AnnotationValue, Cause, Entity, Http, Link, RecordedException, StackFrame } from './entity.ts';
import { ExactNumber, isNumber } from './exact-number.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject, readObject, readText } from './json.ts';
import { readFlags } from './outcome.ts';
import { readTimeUs } from './time.ts';
import type { EntityId, TraceId } from './trace-id.ts';
import { readEntityId, readTraceId } from './trace-id.ts';

/** Ids and kind of an entity. They come from the document around it, not from its own fields. */
export type EntityIdentity = {
  readonly traceId: TraceId;
  readonly id: EntityId;
  readonly parentId: EntityId | undefined;
  readonly kind: 'segment' | 'subsegment';
};

/** In UTF-16 code units. */
export const MAX_NAME_LENGTH = 200;
const NONE: readonly never[] = [];
const NO_ANNOTATIONS: Readonly<Record<string, AnnotationValue>> = {};

/**
 * Reads the typed fields of a segment or subsegment that passed the checks of `parseDocument`. Never throws: a
 * member with another type than X-Ray documents is omitted here and stays in `fields`.
 */
export function readEntity(fields: JsonObject, { traceId, id, parentId, kind }: EntityIdentity): Entity {
  const aws = readObject(fields.aws);
  const http = readHttp(fields.http);
  const startUs = readTimeUs(fields.start_time) ?? 0;
  const endUs = readTimeUs(fields.end_time);
  const { outcome, isFault, isError, isThrottle } = readFlags(fields, http?.status);
  return {
    traceId,
    id,
    parentId,
    kind,
    name: truncatedName(String(fields.name)),
    startUs,
    // A clock may be set back meanwhile: the end is never before the start.
    endUs: endUs === undefined ? undefined : Math.max(startUs, endUs),
    namespace: readText(fields.namespace),
    origin: readText(fields.origin),
    user: readText(fields.user),
    resourceArn: readText(fields.resource_arn),
    accountId: aws && readText(aws.account_id),
    outcome,
    isFault,
    isError,
    isThrottle,
    http,
    cause: readCause(fields.cause),
    annotations: readAnnotations(fields.annotations),
    metadata: fields.metadata,
    links: readLinks(fields.links),
    fields: withoutSubsegments(fields),
  };
}

export function truncatedName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  const last = name.charCodeAt(MAX_NAME_LENGTH - 1);
  const splitsPair = last >= 0xd800 && last < 0xdc00;
  return name.slice(0, splitsPair ? MAX_NAME_LENGTH - 1 : MAX_NAME_LENGTH);
}

function withoutSubsegments(fields: JsonObject): JsonObject {
  if (fields.subsegments === undefined) return fields;
  const { subsegments, ...own } = fields;
  return own;
}

/** Undefined for a value that is no object. */
export function readHttp(value: JsonValue | undefined): Http | undefined {
  if (!isJsonObject(value)) return undefined;
  const request = readObject(value.request);
  const response = readObject(value.response);
  const http: { -readonly [Key in keyof Http]: Http[Key] } = {};
  if (request) {
    const method = readText(request.method);
    const url = readText(request.url);
    const userAgent = readText(request.user_agent);
    const clientIp = readText(request.client_ip);
    if (method !== undefined) http.method = method;
    if (url !== undefined) http.url = url;
    if (userAgent !== undefined) http.userAgent = userAgent;
    if (clientIp !== undefined) http.clientIp = clientIp;
  }
  const status = response && readInteger(response.status);
  if (status !== undefined) http.status = status;
  return http;
}

/** A whole number, or a text that holds one. */
function readInteger(value: JsonValue | undefined): number | undefined {
  const isText = (typeof value === 'string' && value !== '') || value instanceof ExactNumber;
  const number = isText ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : undefined;
}

function readAnnotations(value: JsonValue | undefined): Readonly<Record<string, AnnotationValue>> {
  if (!isJsonObject(value)) return NO_ANNOTATIONS;
  if (Object.values(value).every(isAnnotationValue)) return value as Readonly<Record<string, AnnotationValue>>;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, AnnotationValue] => isAnnotationValue(entry[1])),
  );
}

function isAnnotationValue(value: JsonValue): value is AnnotationValue {
  return typeof value === 'string' || typeof value === 'boolean' || isNumber(value);
}

/** Undefined for the empty causes that Step Functions writes: they do not mean a failure. */
export function readCause(value: JsonValue | undefined): Cause | undefined {
  if (typeof value === 'string') {
    const exceptionId = readEntityId(value);
    return exceptionId && { exceptions: NONE, exceptionId };
  }
  if (!isJsonObject(value)) return undefined;
  const workingDirectory = readText(value.working_directory);
  const exceptions = objectsIn(value.exceptions).map(readException);
  const exceptionId = typeof value.id === 'string' ? readEntityId(value.id) : undefined;
  if (workingDirectory === undefined && exceptions.length === 0 && exceptionId === undefined) return undefined;
  return {
    exceptions,
    ...(workingDirectory !== undefined && { workingDirectory }),
    ...(Array.isArray(value.paths) && { paths: value.paths.filter((path) => typeof path === 'string') }),
    ...(exceptionId !== undefined && { exceptionId }),
  };
}

function readException(value: JsonObject): RecordedException {
  const exception: { -readonly [Key in keyof RecordedException]: RecordedException[Key] } = {};
  if (typeof value.id === 'string') exception.id = value.id.toLowerCase();
  if (typeof value.type === 'string') exception.type = value.type;
  if (typeof value.message === 'string') exception.message = value.message;
  if (typeof value.remote === 'boolean') exception.remote = value.remote;
  if (typeof value.truncated === 'number') exception.truncated = value.truncated;
  if (typeof value.skipped === 'number') exception.skipped = value.skipped;
  if (typeof value.cause === 'string') exception.cause = value.cause.toLowerCase();
  if (Array.isArray(value.stack)) exception.stack = objectsIn(value.stack).map(readFrame);
  return exception;
}

function readFrame(value: JsonObject): StackFrame {
  const frame: { -readonly [Key in keyof StackFrame]: StackFrame[Key] } = {};
  if (typeof value.path === 'string') frame.path = value.path;
  if (typeof value.line === 'number') frame.line = value.line;
  if (typeof value.label === 'string') frame.label = value.label;
  return frame;
}

function readLinks(value: JsonValue | undefined): readonly Link[] {
  if (!Array.isArray(value)) return NONE;
  return objectsIn(value).flatMap((link) => {
    const traceId = typeof link.trace_id === 'string' ? readTraceId(link.trace_id) : undefined;
    if (traceId === undefined) return [];
    const id = typeof link.id === 'string' ? readEntityId(link.id) : undefined;
    return [{ traceId, id, attributes: readObject(link.attributes) ?? {} }];
  });
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : NONE;
}
