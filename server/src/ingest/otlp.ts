import { setImmediate } from 'node:timers/promises';
import { logWriter, spanWriter } from '../model/otlp/documents/stored-spans.ts';
import { isSpanId, isTraceId, parentIdOf } from '../model/otlp/span-ids.ts';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { isExceptionRecord } from '../model/otlp/to-xray/exceptions.ts';
import { MAX_VALUE_DEPTH } from '../model/otlp/wire/limits.ts';
import type { AnyValue, KeyValue, LogRecord, LogsData, Span, TracesData } from '../model/otlp-messages.ts';
import type { ParsedDocument, Rejection, RejectionCode } from '../model/parse-document.ts';
import type { Receiver } from '../stats.ts';
import { accept, type IngestContext } from './accept.ts';

export type OtlpContext = IngestContext & {
  readonly nextSeq: () => number;
  /** Keys of attributes that become annotations. */
  readonly indexed: IndexedKeys;
};

/** For OTLP's receivers: also the handling of signals that openray does not store. */
export type OtlpReceiverContext = OtlpContext & {
  readonly dropLogRecords: (logRecords: number) => void;
  readonly dropMetrics: (dataPoints: number) => void;
};

/** Rejected spans or log records, for the `partial_success` of the response; `message` gives reasons, or is empty. */
export type PartialSuccess = { readonly rejected: number; readonly message: string };

/** Documents that are translated before the event loop handles other requests. */
const BATCH_SPANS = 1_000;

/**
 * Stores spans. An invalid span is rejected and its neighbours are stored. Resolves once the valid ones are in
 * ClickHouse.
 * Throws ThrottledException or ServiceUnavailable when some could not be stored; spans that are sent again count once.
 */
export async function acceptTraces(
  data: TracesData,
  receiver: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess> {
  return acceptInBatches(spanResults(data, context), receiver, context);
}

/**
 * Stores the log records that record an exception of a span. All others are dropped and counted with a full success:
 * exporters log each response that reports a rejection.
 */
export async function acceptLogs(
  data: LogsData,
  receiver: Receiver,
  context: OtlpReceiverContext,
): Promise<PartialSuccess> {
  const counts = { ignored: 0 };
  const result = await acceptInBatches(logResults(data, context, counts), receiver, context);
  context.dropLogRecords(counts.ignored);
  return result;
}

async function acceptInBatches(
  results: Iterable<ParsedDocument>,
  receiver: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess> {
  const stored: Promise<void>[] = [];
  const firstRejections: Rejection[] = [];
  let rejected = 0;
  const failures: unknown[] = [];
  let batch: ParsedDocument[] = [];
  const flush = () => {
    for (const result of batch) {
      if (result.ok) continue;
      rejected += 1;
      if (rejected <= MAX_REPORTED_REJECTIONS) firstRejections.push(result);
    }
    stored.push(accept(batch, receiver, context).catch((thrown: unknown) => void failures.push(thrown)));
    batch = [];
  };
  for (const result of results) {
    batch.push(result);
    if (batch.length < BATCH_SPANS) continue;
    flush();
    await setImmediate();
  }
  flush();
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
        const error = isScopeTooDeep ? TOO_DEEP : validateSpan(span);
        yield error === undefined
          ? { ok: true, document: document(span, context.nextSeq()) }
          : { ok: false, id: span.spanId, ...error };
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

/** The first reason why a span is invalid. Times are not checked, since clocks of senders may be wrong. */
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

/** Lists the first rejections with their span ids. Bounded, so that responses stay small. */
function rejectionMessage(first: readonly Rejection[], count: number): string {
  const messages = first.map(({ id, message }) => `span ${shortId(id ?? '')}: ${message}`);
  return [...messages, ...(count > messages.length ? [`and ${count - messages.length} more`] : [])].join('; ');
}
