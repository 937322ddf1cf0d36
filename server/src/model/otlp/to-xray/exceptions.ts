import { definedMembers, type JsonObject, type JsonValue } from '../../json.ts';
import { type LogRecord, type Span, type SpanEvent, STATUS } from '../../otlp-messages.ts';
import { type Attributes, attributesOf, consumeText, firstInteger, firstText } from './attributes.ts';
import { isSdkCall } from './call-namespace.ts';
import { exceptionId } from './derived-ids.ts';
import { parseStackTrace } from './stack-trace.ts';

/** An event that records an exception, with its index among the events of the span. */
type RecordedEvent = { readonly index: number; readonly event: SpanEvent; readonly attributes: Attributes };

/**
 * X-Ray's exceptions of a span, in the order in which they were recorded: its `exception` events and its log records.
 * A failed span without either has one exception with the message of its status. Ids are derived from the span's id,
 * so they are the same each time.
 */
export function exceptionsOf(
  span: Span,
  attributes: Attributes,
  {
    language,
    isRemote,
    records,
  }: {
    readonly language: string | undefined;
    readonly isRemote: boolean;
    readonly records: readonly LogRecord[];
  },
): readonly JsonObject[] {
  const isFailed = span.status?.code === STATUS.error;
  if (span.events === undefined && records.length === 0 && !isFailed) return NONE;
  const recorded = recordedEventsIn(span, records);
  const exceptions = recorded.flatMap((one) => exceptionsIn(span, one, language, isRemote));
  const failures = isSdkCall(attributes) ? failedRequests(span) : [];
  if (exceptions.length + failures.length > 0) return [...exceptions, ...failures];
  return isFailed ? statusException(span, attributes, isRemote) : NONE;
}

const NONE: readonly JsonObject[] = [];

/** Whether a log record describes an exception. */
export function isExceptionRecord(record: LogRecord): boolean {
  return (record.attributes ?? []).some(({ key }) => key === 'exception.type' || key === 'exception.message');
}

function recordedEventsIn({ events = [] }: Span, records: readonly LogRecord[]): readonly RecordedEvent[] {
  const own = events.flatMap((event, index) => (event.name === 'exception' ? [recordedEventOf(event, index)] : []));
  const duplicates = newDuplicateFilter();
  for (const one of own) duplicates.add(one);
  const logged = records
    .map((record, at) => recordedEventOf(eventOf(record), events.length + at))
    .filter((one) => {
      const isNew = !duplicates.has(one);
      if (isNew) duplicates.add(one);
      return isNew;
    });
  if (logged.length === 0) return own;
  return [...own, ...logged].sort(
    (a, b) => compareNanos(a.event.timeUnixNano, b.event.timeUnixNano) || a.index - b.index,
  );
}

function recordedEventOf(event: SpanEvent, index: number): RecordedEvent {
  return { index, event, attributes: attributesOf(event.attributes) };
}

function eventOf({ timeUnixNano, observedTimeUnixNano, attributes }: LogRecord): SpanEvent {
  return { timeUnixNano: timeUnixNano ?? observedTimeUnixNano, name: 'exception', attributes };
}

/** The exceptions in log records as events of their span, without those that its own events record. */
export function eventsOfRecords(span: Span, records: readonly LogRecord[]): readonly SpanEvent[] {
  const own = (span.events ?? []).length;
  return recordedEventsIn(span, records).flatMap(({ index, event }) => (index < own ? [] : [event]));
}

const MILLISECOND_NANOS = 1_000_000n;

/**
 * Some SDKs record an exception twice, in an event and in a log record: with the same type, message and stack, at most
 * a millisecond apart. Times are kept by millisecond, as the first and last in it, so each look-up takes constant time.
 */
function newDuplicateFilter(): { add(one: RecordedEvent): void; has(one: RecordedEvent): boolean } {
  const moments = new Map<string, { first: bigint; last: bigint }>();
  const keyOf = ({ event, attributes }: RecordedEvent) => {
    const nanos = BigInt(event.timeUnixNano ?? 0);
    const content = COMPARED_KEYS.map((key) => JSON.stringify(firstText(attributes, key) ?? null)).join();
    return { nanos, at: (step: bigint) => `${nanos / MILLISECOND_NANOS + step} ${content}` };
  };
  return {
    add(one) {
      const { nanos, at } = keyOf(one);
      const moment = moments.get(at(0n));
      if (moment === undefined) moments.set(at(0n), { first: nanos, last: nanos });
      else if (nanos < moment.first) moment.first = nanos;
      else if (nanos > moment.last) moment.last = nanos;
    },
    has(one) {
      const { nanos, at } = keyOf(one);
      const [before, after] = [moments.get(at(-1n)), moments.get(at(1n))];
      return (
        moments.has(at(0n)) ||
        (before !== undefined && nanos - before.last <= MILLISECOND_NANOS) ||
        (after !== undefined && after.first - nanos <= MILLISECOND_NANOS)
      );
    },
  };
}

const COMPARED_KEYS = ['exception.type', 'exception.message', 'exception.stacktrace'] as const;

function compareNanos(a: string | undefined, b: string | undefined): number {
  const apart = BigInt(a ?? 0) - BigInt(b ?? 0);
  return apart < 0n ? -1 : apart > 0n ? 1 : 0;
}

/** The exception, then its causes from the rest of its stack trace. */
function exceptionsIn(
  { traceId, spanId }: Span,
  { index, attributes }: RecordedEvent,
  language: string | undefined,
  isRemote: boolean,
): readonly JsonObject[] {
  const [own, ...causes] = parseStackTrace(firstText(attributes, 'exception.stacktrace') ?? '', language);
  const id = firstText(attributes, 'aws.xray.exception.id') ?? exceptionId(traceId, spanId, index);
  const idOfCause = (at: number) => (at < causes.length ? exceptionId(traceId, spanId, index, at + 1) : undefined);
  const exception = definedMembers({
    id,
    type: firstText(attributes, 'exception.type') ?? own?.type,
    message: firstText(attributes, 'exception.message') ?? own?.message,
    remote: attributes.values.get('aws.xray.exception.remote')?.boolValue ?? (isRemote ? true : undefined),
    truncated: firstInteger(attributes, 'aws.xray.exception.truncated'),
    skipped: firstInteger(attributes, 'aws.xray.exception.skipped'),
    cause: firstText(attributes, 'aws.xray.exception.cause') ?? idOfCause(0),
    stack: stackOf(own?.stack),
  });
  const rest = causes.map(({ type, message, stack }, at) =>
    definedMembers({
      id: idOfCause(at),
      type,
      message,
      remote: isRemote ? true : undefined,
      cause: idOfCause(at + 1),
      stack: stackOf(stack),
    }),
  );
  return [exception, ...rest].filter((one) => one !== undefined);
}

function stackOf(frames: readonly object[] | undefined): JsonValue | undefined {
  return frames === undefined || frames.length === 0 ? undefined : (frames as JsonValue);
}

/** The failed attempts of a call, which the AWS SDK's instrumentation records as events. */
function failedRequests({ traceId, spanId, events = [] }: Span): readonly JsonObject[] {
  return events.flatMap((event, index) => {
    if (event.name !== 'HTTP request failure') return [];
    const attributes = attributesOf(event.attributes);
    const status = firstInteger(attributes, 'http.response.status_code', 'http.status_code') ?? 0;
    const seconds = (Number(event.timeUnixNano ?? 0) / 1e9).toFixed(6);
    const message = `${status}@${seconds}@${firstText(attributes, 'aws.http.error_message') ?? ''}`;
    return [{ id: exceptionId(traceId, spanId, index), type: 'aws.http.error.event', message, remote: true }];
  });
}

function statusException(span: Span, attributes: Attributes, isRemote: boolean): readonly JsonObject[] {
  const message = span.status?.message || consumeText(attributes, 'http.status_text');
  const type = firstText(attributes, 'error.type');
  if (message === undefined || message === '') return [];
  const exception = definedMembers({
    id: exceptionId(span.traceId, span.spanId, 0),
    type,
    message,
    remote: isRemote ? true : undefined,
  });
  return exception === undefined ? [] : [exception];
}
