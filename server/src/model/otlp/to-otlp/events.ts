import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject, readObject, readText } from '../../json.ts';
import type { SpanEvent, SpanLink } from '../../otlp-messages.ts';
import { readEntityId, readTraceId } from '../../trace-id.ts';
import { usToNanos } from '../nanos.ts';
import { newAttributes } from './attribute-list.ts';

/** Exceptions as events, in their order. X-Ray has no time of an exception, so an event has the end of the entity. */
export function eventsOf(fields: JsonObject, segment: JsonObject, endUs: number | undefined): readonly SpanEvent[] {
  return exceptionsOf(fields).map((exception) => {
    const attributes = newAttributes();
    attributes.add('exception.type', readText(exception.type));
    attributes.add('exception.message', readText(exception.message));
    attributes.add('exception.stacktrace', stackText(exception, languageOf(segment)));
    attributes.add('aws.xray.exception.id', readText(exception.id));
    attributes.add('aws.xray.exception.remote', typeof exception.remote === 'boolean' ? exception.remote : undefined);
    attributes.add('aws.xray.exception.truncated', integerOf(exception.truncated));
    attributes.add('aws.xray.exception.skipped', integerOf(exception.skipped));
    attributes.add('aws.xray.exception.cause', readText(exception.cause));
    return {
      timeUnixNano: endUs === undefined || endUs === 0 ? undefined : usToNanos(endUs),
      name: 'exception',
      attributes: attributes.list(),
    };
  });
}

export function exceptionsOf({ cause }: JsonObject): readonly JsonObject[] {
  const exceptions = readObject(cause)?.exceptions;
  return Array.isArray(exceptions) ? exceptions.filter(isJsonObject) : [];
}

export function linksOf({ links }: JsonObject): readonly SpanLink[] {
  if (!Array.isArray(links)) return [];
  return links.filter(isJsonObject).flatMap((link) => {
    const traceId = readTraceId(readText(link.trace_id) ?? '');
    const spanId = readEntityId(readText(link.id) ?? '');
    if (traceId === undefined || spanId === undefined) return [];
    const attributes = newAttributes();
    for (const [key, value] of Object.entries(readObject(link.attributes) ?? {})) attributes.add(key, value);
    const list = attributes.list();
    return [{ traceId, spanId, attributes: list.length > 0 ? list : undefined }];
  });
}

type Language = 'node' | 'python' | 'java';

function languageOf(segment: JsonObject): Language {
  const sdk = readText(readObject(readObject(segment.aws)?.xray)?.sdk) ?? '';
  const runtime = `${readText(readObject(segment.service)?.runtime) ?? ''} ${sdk}`.toLowerCase();
  if (runtime.includes('node') || runtime.includes('javascript')) return 'node';
  return runtime.includes('python') ? 'python' : 'java';
}

/** In the format of the language, so that `parseStackTrace` can parse it again. */
function stackText({ type, message, stack }: JsonObject, language: Language): string | undefined {
  if (!Array.isArray(stack) || stack.length === 0) return undefined;
  const frames = stack.filter(isJsonObject);
  const title = `${readText(type) ?? ''}: ${readText(message) ?? ''}`;
  if (language === 'python') {
    const lines = frames
      .toReversed()
      .map((frame) => `  File "${pathOf(frame)}", line ${lineOf(frame)}, in ${labelOf(frame)}`);
    return ['Traceback (most recent call last):', ...lines, title].join('\n');
  }
  const indent = language === 'node' ? '    ' : '\t';
  const location = (frame: JsonObject) => `${pathOf(frame)}:${lineOf(frame)}`;
  const lines = frames.map((frame) =>
    language === 'node'
      ? `${indent}at ${labelOf(frame)} (${location(frame)})`
      : `${indent}at ${labelOf(frame)}(${location(frame)})`,
  );
  return [title, ...lines].join('\n');
}

const pathOf = ({ path }: JsonObject) => readText(path) ?? '';
const labelOf = ({ label }: JsonObject) => readText(label) ?? '';
const lineOf = ({ line }: JsonObject) => (typeof line === 'number' ? line : 0);

function integerOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
