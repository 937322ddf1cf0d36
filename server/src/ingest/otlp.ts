import { setImmediate } from 'node:timers/promises';
import { isSpanId, isTraceId, parentIdOf } from '../model/otlp/span-ids.ts';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { isExceptionRecord } from '../model/otlp/to-xray/exceptions.ts';
import { logWriter, spanWriter } from '../model/otlp/to-xray/stored-spans.ts';
import type { AnyValue, KeyValue, LogRecord, LogsData, Span, TracesData } from '../model/otlp/types.ts';
import { MAX_VALUE_DEPTH } from '../model/otlp/wire/limits.ts';
import type { ParsedDocument, Rejection, RejectionCode } from '../model/parse-document.ts';
import type { Receiver } from '../stats.ts';
import { accept, type IngestContext } from './accept.ts';

export type OtlpContext = IngestContext & {
  readonly nextSeq: () => number;
  /** Keys of attributes that become annotations. */
  readonly indexed: IndexedKeys;
};

/** What was not taken, for the `partial_success` of the answer; `message` says why, or is empty. */
export type PartialSuccess = { readonly rejected: number; readonly message: string };

/** Spans that are looked at before others get their turn. */
const BATCH_SPANS = 1_000;

/**
 * Stores spans. A bad one is refused and its neighbours are kept. Resolves once the good ones are in ClickHouse.
 * Throws ThrottledException or ServiceUnavailable when some could not be stored; what is sent again then counts once.
 */
export async function acceptTraces(data: TracesData, door: Receiver, context: OtlpContext): Promise<PartialSuccess> {
  return acceptInBatches(spanResults(data, context), door, context);
}

/**
 * Stores the log records that tell of an exception of a span. All others are left out, and counted in the answer: openray
 * keeps traces.
 */
export async function acceptLogs(
  data: LogsData,
  door: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess & { ignored: number }> {
  const counts = { ignored: 0 };
  const taken = await acceptInBatches(logResults(data, context, counts), door, context);
  return { ...taken, ...counts };
}

async function acceptInBatches(
  outcomes: Iterable<ParsedDocument>,
  door: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess> {
  const stored: Promise<void>[] = [];
  const firstRejections: Rejection[] = [];
  let rejected = 0;
  const failures: unknown[] = [];
  let turn: ParsedDocument[] = [];
  const endTurn = () => {
    for (const outcome of turn) {
      if (outcome.ok) continue;
      rejected += 1;
      if (rejected <= MAX_REPORTED_REJECTIONS) firstRejections.push(outcome);
    }
    stored.push(accept(turn, door, context).catch((thrown: unknown) => void failures.push(thrown)));
    turn = [];
  };
  for (const outcome of outcomes) {
    turn.push(outcome);
    if (turn.length < BATCH_SPANS) continue;
    endTurn();
    await setImmediate();
  }
  endTurn();
  await Promise.all(stored);
  if (failures.length > 0) throw failures[0];
  return { rejected, message: rejectionMessage(firstRejections, rejected) };
}

function* spanResults({ resourceSpans = [] }: TracesData, context: OtlpContext): Generator<ParsedDocument> {
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeSpans = [] } of resourceSpans) {
    const isTooDeep = hasDeepValue(resource?.attributes);
    for (const { scope, schemaUrl: scopeSchemaUrl, spans = [] } of scopeSpans) {
      const isScopeTooDeep = isTooDeep || hasDeepValue(scope?.attributes);
      const document = spanWriter({ resource, resourceSchemaUrl, scope, scopeSchemaUrl }, context.indexed);
      for (const span of spans) {
        const fault = isScopeTooDeep ? TOO_DEEP : validateSpan(span);
        yield fault === undefined
          ? { ok: true, document: document(span, context.nextSeq()) }
          : { ok: false, id: span.spanId, ...fault };
      }
    }
  }
}

function* logResults(
  { resourceLogs = [] }: LogsData,
  context: OtlpContext,
  counts: { ignored: number },
): Generator<ParsedDocument> {
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeLogs = [] } of resourceLogs) {
    for (const { scope, schemaUrl: scopeSchemaUrl, logRecords = [] } of scopeLogs) {
      const document = logWriter({ resource, resourceSchemaUrl, scope, scopeSchemaUrl });
      for (const record of logRecords) {
        if (!hasTraceContext(record) || !isExceptionRecord(record) || hasDeepValue(record.attributes))
          counts.ignored += 1;
        else yield { ok: true, document: document(record, context.nextSeq()) };
      }
    }
  }
}

function hasTraceContext({ traceId, spanId }: LogRecord): boolean {
  return isTraceId(traceId) && isSpanId(spanId);
}

type ValidationError = { readonly code: RejectionCode; readonly message: string };

const TOO_DEEP: ValidationError = {
  code: 'DocumentTooDeep',
  message: `an attribute nests deeper than ${MAX_VALUE_DEPTH} levels`,
};

/** Why a span can not be stored. Times are taken as they are: clocks of senders are what they are. */
function validateSpan(span: Span): ValidationError | undefined {
  if (!isTraceId(span.traceId)) {
    return { code: 'InvalidTraceId', message: `trace id "${shortId(span.traceId)}" is not 16 bytes with a bit set` };
  }
  if (!isSpanId(span.spanId)) {
    return { code: 'InvalidId', message: `span id "${shortId(span.spanId)}" is not 8 bytes with a bit set` };
  }
  const parentId = parentIdOf(span.parentSpanId);
  if (parentId !== undefined && !isSpanId(parentId)) {
    return { code: 'InvalidParentId', message: `parent span id "${shortId(parentId)}" is not 8 bytes` };
  }
  const isDeep =
    hasDeepValue(span.attributes) ||
    span.events?.some(({ attributes }) => hasDeepValue(attributes)) ||
    span.links?.some(({ attributes }) => hasDeepValue(attributes));
  return isDeep ? TOO_DEEP : undefined;
}

const shortId = (id: string) => id.slice(0, 40);

function hasDeepValue(attributes: readonly KeyValue[] | undefined): boolean {
  return attributes?.some(({ value }) => isDeep(value, 0)) === true;
}

function isDeep(value: AnyValue | undefined, depth: number): boolean {
  if (value?.arrayValue === undefined && value?.kvlistValue === undefined) return false;
  if (depth === MAX_VALUE_DEPTH) return true;
  return (
    value.arrayValue?.values?.some((inner) => isDeep(inner, depth + 1)) === true ||
    value.kvlistValue?.values?.some((inner) => isDeep(inner.value, depth + 1)) === true
  );
}

const MAX_REPORTED_REJECTIONS = 5;

/** Each with its span; answers must stay small however many there are. */
function rejectionMessage(first: readonly Rejection[], count: number): string {
  const told = first.map(({ id, message }) => `span ${shortId(id ?? '')}: ${message}`);
  return [...told, ...(count > told.length ? [`and ${count - told.length} more`] : [])].join('; ');
}
