import { setImmediate } from 'node:timers/promises';
import { logWriter, receivedSpanWriter } from '../model/otlp/documents/stored-spans.ts';
import { isSpanId, isTraceId, parentIdOf } from '../model/otlp/span-ids.ts';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { isExceptionRecord } from '../model/otlp/to-xray/exceptions.ts';
import { newBoundedReader } from '../model/otlp/wire/bounded-reader.ts';
import { readSpan } from '../model/otlp/wire/decode.ts';
import { encodeTraces } from '../model/otlp/wire/encode.ts';
import { MAX_VALUE_DEPTH } from '../model/otlp/wire/limits.ts';
import type { AnyValue, KeyValue, LogRecord, LogsData, Span, TracesData } from '../model/otlp-messages.ts';
import type { ParsedDocument, Rejection, RejectionCode } from '../model/parse-document.ts';
import type { Receiver } from '../stats.ts';
import { accept, acceptEncoded, type IngestContext } from './accept.ts';
import { readTraces } from './otlp-json.ts';
import { type OtlpEncoding, readMessage } from './otlp-request.ts';
import { scopesIn } from './otlp-scopes.ts';
import { sharedRowsOf } from './otlp-shared-rows.ts';
import { newSpanBatch, numberSpans, recycle, type SpanBatch } from './otlp-span-batch.ts';
import { writeCommonSpan } from './otlp-span-rows.ts';

export type OtlpContext = IngestContext & {
  /** The first of `count` (default 1) successive numbers of arrival, which are all on one day. */
  readonly nextSeq: (count?: number) => number;
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
 * Stores the spans of a request. An invalid span is rejected and its neighbours are stored. Resolves once the valid ones
 * are acknowledged.
 * Throws SerializationException or RequestTooLargeException when the bytes are not a message; nothing of the request is
 * stored then. Throws ThrottledException or ServiceUnavailable when some spans could not be stored; spans that are sent
 * again count once.
 */
export async function acceptTracesRequest(
  bytes: Buffer,
  encoding: OtlpEncoding,
  receiver: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess> {
  if (encoding === 'json') return acceptTraces(readTraces(bytes.toString('utf8')), receiver, context);
  return storeSpans(bytes, newRejections(), receiver, context);
}

/** The same for spans of other forms, which are encoded once. */
export async function acceptTraces(
  data: TracesData,
  receiver: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess> {
  const rejections = newRejections();
  const bytes = encodeTraces(withoutInvalidSpans(data, rejections));
  return storeSpans(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), rejections, receiver, context);
}

/** No batch is stored before the last byte is read. */
async function storeSpans(
  bytes: Buffer,
  rejections: Rejections,
  receiver: Receiver,
  context: OtlpContext,
): Promise<PartialSuccess> {
  const batches: SpanBatch[] = [];
  const reading = batchesIn(bytes, rejections, context);
  for (;;) {
    const { value, done } = readMessage(() => reading.next());
    if (done) break;
    batches.push(value);
    if (value.spans.length === BATCH_SPANS) await setImmediate();
  }
  let uncounted = rejections.counts;
  const failures: unknown[] = [];
  const stored: Promise<void>[] = [];
  for (const batch of batches) {
    const encoded = numberSpans(batch, context.nextSeq, context.store.serverNumber);
    const accepted = acceptEncoded(encoded, uncounted, receiver, context);
    stored.push(accepted.catch((thrown: unknown) => void failures.push(thrown)));
    uncounted = new Map();
    recycle(batch);
  }
  await Promise.all(stored);
  if (failures.length > 0) throw failures[0];
  let rejected = 0;
  for (const count of rejections.counts.values()) rejected += count;
  return { rejected, message: rejectionMessage(rejections.first, rejected) };
}

/** Invalid spans by reason, and the first of them. */
type Rejections = { readonly counts: Map<RejectionCode, number>; readonly first: Rejection[] };

const newRejections = (): Rejections => ({ counts: new Map(), first: [] });

function reject({ counts, first }: Rejections, { spanId: id }: Span, error: ValidationError): void {
  counts.set(error.code, (counts.get(error.code) ?? 0) + 1);
  if (first.length < MAX_REPORTED_REJECTIONS) first.push({ ok: false, id, ...error });
}

/** Always one at least. Appends to `rejections`. */
function* batchesIn(
  bytes: Buffer,
  rejections: Rejections,
  { indexed, store }: OtlpContext,
): Generator<SpanBatch, undefined> {
  const reader = newBoundedReader(bytes);
  let batch = newSpanBatch();
  for (const { resourceSpans, scopeSpans, spans } of scopesIn(reader)) {
    const shared = sharedRowsOf(resourceSpans, scopeSpans, indexed);
    const document = receivedSpanWriter(shared);
    const isTooDeep = hasDeepValue(shared.resource.attributes) || hasDeepValue(shared.scope.attributes);
    for (let at = 0; at < spans.length; at += 2) {
      const [start, end] = [spans[at] as number, spans[at + 1] as number];
      const before = { entityRows: batch.entityStarts.length, messagesLeft: reader.messagesLeft };
      reader.pos = start;
      if (!isTooDeep && writeCommonSpan(reader, end, shared, store.serverNumber, batch)) {
        batch.spans.push(batch.entityStarts.length - before.entityRows);
      } else {
        reader.pos = start;
        reader.messagesLeft = before.messagesLeft;
        const span = readSpan(reader, end);
        const error = isTooDeep ? TOO_DEEP : validateSpan(span);
        if (error === undefined) batch.spans.push((seq) => document(span, bytes.subarray(start, end), seq));
        else reject(rejections, span, error);
      }
      if (batch.spans.length < BATCH_SPANS) continue;
      yield batch;
      batch = newSpanBatch();
    }
  }
  yield batch;
}

/** Spans whose ids cannot be encoded, for example, must not reach the encoder. */
function withoutInvalidSpans({ resourceSpans = [] }: TracesData, rejections: Rejections): TracesData {
  return {
    resourceSpans: resourceSpans.map(({ scopeSpans = [], ...resource }) => {
      const isTooDeep = hasDeepValue(resource.resource?.attributes);
      return {
        ...resource,
        scopeSpans: scopeSpans.map(({ spans = [], ...scope }) => {
          const isScopeTooDeep = isTooDeep || hasDeepValue(scope.scope?.attributes);
          const valid = spans.filter((span) => {
            const error = isScopeTooDeep ? TOO_DEEP : validateSpan(span);
            if (error !== undefined) reject(rejections, span, error);
            return error === undefined;
          });
          return { ...scope, spans: valid };
        }),
      };
    }),
  };
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
