import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue, listOf } from '../../model/json.ts';
import type { HandlerFailure } from './failures.ts';

const CAUSE_HEADER = 'lambda-runtime-function-xray-error-cause';
const TYPE_HEADER = 'lambda-runtime-function-error-type';
const CAUSE_CONTENT_TYPE = 'application/vnd.aws.lambda.error.cause+json';

/** A datagram holds at most 64 KB: this leaves 16 KB for the other fields of the segment. */
const CAUSE_MAX_BYTES = 48 * 1024;

/**
 * Reads the report that a runtime posts to `…/error`. The body is passed on as it is, since each language has its own
 * keys; only an `errorCause` in it is removed.
 */
export function readErrorReport(body: Buffer, headers: IncomingHttpHeaders): HandlerFailure {
  const report = parseObject(body.toString());
  if (headers['content-type'] === CAUSE_CONTENT_TYPE && report !== undefined) {
    const { errorCause, ...rest } = report;
    return { body: Buffer.from(JSON.stringify(rest)), errorType: errorType(headers), cause: readCause(errorCause) };
  }
  const header = headers[CAUSE_HEADER];
  const headerCause = typeof header === 'string' ? readCause(parseObject(header)) : undefined;
  return { body, errorType: errorType(headers), cause: headerCause ?? causeFromBody(report) };
}

/** A cause with one exception, for a failure that the platform itself reports. */
export function syntheticCause(type: string, message: string): JsonObject {
  return { exceptions: [{ id: exceptionId(), type, message }] };
}

/** Keeps `Runtime.X` and `Function.X`; other types become `Runtime.Unknown` or `Function.Unknown`, as in Lambda. */
export function sanitizeErrorType(text: string): string {
  if (/^(Runtime|Function)\.[A-Z][a-zA-Z]+$/.test(text)) return text;
  return text.startsWith('Function.') ? 'Function.Unknown' : 'Runtime.Unknown';
}

function errorType(headers: IncomingHttpHeaders): string | undefined {
  const text = headers[TYPE_HEADER];
  return typeof text === 'string' && text !== '' ? sanitizeErrorType(text) : undefined;
}

/** Undefined when no member is usable. Adds an id to each exception: X-Ray requires one, and runtimes send none. */
function readCause(cause: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(cause)) return undefined;
  const exceptions = listOf(cause.exceptions)
    .filter(isJsonObject)
    .map((exception) => ({ id: exceptionId(), ...exception }));
  const paths = listOf(cause.paths).filter((path) => typeof path === 'string');
  const { working_directory: directory, message } = cause;
  const kept: JsonObject = {
    ...(typeof directory === 'string' && directory !== '' ? { working_directory: directory } : {}),
    ...(exceptions.length > 0 ? { exceptions } : {}),
    ...(paths.length > 0 ? { paths } : {}),
    ...(typeof message === 'string' && message !== '' ? { message } : {}),
  };
  return Object.keys(kept).length === 0 ? undefined : cropCause(kept);
}

/** A cause made from the error body, for a runtime that sent none: custom runtimes rarely do. */
function causeFromBody(report: JsonObject | undefined): JsonObject | undefined {
  const { errorType: type, errorMessage: message } = report ?? {};
  if (typeof type !== 'string' && typeof message !== 'string') return undefined;
  const exception = {
    id: exceptionId(),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  };
  return cropCause({ exceptions: [exception] });
}

/**
 * Shortens the lists of exceptions, paths and frames in steps of 20 % until the cause fits. If that is not enough,
 * keeps one exception without frames, and crops its texts.
 */
export function cropCause(cause: JsonObject, maxBytes = CAUSE_MAX_BYTES): JsonObject {
  for (const share of [1, 0.8, 0.6, 0.4, 0.2]) {
    const cropped = share === 1 ? cause : cropLists(cause, share);
    if (jsonBytes(cropped) <= maxBytes) return cropped;
  }
  const first = listOf(cause.exceptions).find(isJsonObject);
  const exception = {
    ...(first?.id === undefined ? {} : { id: first.id }),
    ...(typeof first?.type === 'string' ? { type: first.type.slice(0, 500) } : {}),
    ...(typeof first?.message === 'string' ? { message: first.message.slice(0, 5000) } : {}),
  };
  const { working_directory: directory, message } = cause;
  return {
    ...(typeof directory === 'string' ? { working_directory: directory.slice(0, 1000) } : {}),
    ...(typeof message === 'string' ? { message: message.slice(0, 5000) } : {}),
    exceptions: [exception],
  };
}

function cropLists(cause: JsonObject, share: number): JsonObject {
  const head = (list: readonly JsonValue[]) => list.slice(0, Math.ceil(list.length * share));
  return {
    ...cause,
    ...(Array.isArray(cause.paths) ? { paths: head(cause.paths) } : {}),
    exceptions: head(listOf(cause.exceptions)).map((exception) =>
      isJsonObject(exception) && Array.isArray(exception.stack)
        ? { ...exception, stack: head(exception.stack) }
        : exception,
    ),
  };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function jsonBytes(value: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function exceptionId(): string {
  return randomBytes(8).toString('hex');
}
