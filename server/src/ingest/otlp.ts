import { setImmediate } from 'node:timers/promises';
import { isSpanId, isTraceId, parentOf } from '../model/otlp/span-ids.ts';
import type { IndexedKeys } from '../model/otlp/to-xray/annotations.ts';
import { isExceptionRecord } from '../model/otlp/to-xray/exceptions.ts';
import { logWriter, spanWriter } from '../model/otlp/to-xray/stored-spans.ts';
import type { AnyValue, KeyValue, LogRecord, LogsData, Span, TracesData } from '../model/otlp/types.ts';
import { MAX_VALUE_DEPTH } from '../model/otlp/wire/limits.ts';
import type { ParsedDocument, Rejection, RejectionCode } from '../model/parse-document.ts';
import type { Door } from '../stats.ts';
import { accept, type IngestContext } from './accept.ts';

export type OtlpContext = IngestContext & {
  readonly nextSeq: () => number;
  /** Keys of attributes that become annotations. */
  readonly indexed: IndexedKeys;
};

/** What was not taken, for the `partial_success` of the answer; `message` says why, or is empty. */
export type Taken = { readonly rejected: number; readonly message: string };

/** Spans that are looked at before others get their turn. */
const TURN = 1_000;

/**
 * Stores spans. A bad one is refused and its neighbours are kept. Resolves once the good ones are in ClickHouse.
 * Throws ThrottledException or ServiceUnavailable when some could not be stored; what is sent again then counts once.
 */
export async function takeTraces(data: TracesData, door: Door, context: OtlpContext): Promise<Taken> {
  return takeAll(spanOutcomes(data, context), door, context);
}

/**
 * Stores the log records that tell of an exception of a span. All others are left out, and counted in the answer: openray
 * keeps traces.
 */
export async function takeLogs(data: LogsData, door: Door, context: OtlpContext): Promise<Taken & { ignored: number }> {
  const counts = { ignored: 0 };
  const taken = await takeAll(logOutcomes(data, context, counts), door, context);
  return { ...taken, ...counts };
}

async function takeAll(outcomes: Iterable<ParsedDocument>, door: Door, context: OtlpContext): Promise<Taken> {
  const stored: Promise<void>[] = [];
  const firstRejections: Rejection[] = [];
  let rejected = 0;
  const failures: unknown[] = [];
  let turn: ParsedDocument[] = [];
  const endTurn = () => {
    for (const outcome of turn) {
      if (outcome.ok) continue;
      rejected += 1;
      if (rejected <= SHOWN_REJECTIONS) firstRejections.push(outcome);
    }
    stored.push(accept(turn, door, context).catch((thrown: unknown) => void failures.push(thrown)));
    turn = [];
  };
  for (const outcome of outcomes) {
    turn.push(outcome);
    if (turn.length < TURN) continue;
    endTurn();
    await setImmediate();
  }
  endTurn();
  await Promise.all(stored);
  if (failures.length > 0) throw failures[0];
  return { rejected, message: messageOf(firstRejections, rejected) };
}

function* spanOutcomes({ resourceSpans = [] }: TracesData, context: OtlpContext): Generator<ParsedDocument> {
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeSpans = [] } of resourceSpans) {
    const isTooDeep = hasDeepValue(resource?.attributes);
    for (const { scope, schemaUrl: scopeSchemaUrl, spans = [] } of scopeSpans) {
      const isScopeTooDeep = isTooDeep || hasDeepValue(scope?.attributes);
      const document = spanWriter({ resource, resourceSchemaUrl, scope, scopeSchemaUrl }, context.indexed);
      for (const span of spans) {
        const fault = isScopeTooDeep ? TOO_DEEP : faultOf(span);
        yield fault === undefined
          ? { ok: true, document: document(span, context.nextSeq()) }
          : { ok: false, id: span.spanId, ...fault };
      }
    }
  }
}

function* logOutcomes(
  { resourceLogs = [] }: LogsData,
  context: OtlpContext,
  counts: { ignored: number },
): Generator<ParsedDocument> {
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeLogs = [] } of resourceLogs) {
    for (const { scope, schemaUrl: scopeSchemaUrl, logRecords = [] } of scopeLogs) {
      const document = logWriter({ resource, resourceSchemaUrl, scope, scopeSchemaUrl });
      for (const record of logRecords) {
        if (!isOfSpan(record) || !isExceptionRecord(record) || hasDeepValue(record.attributes)) counts.ignored += 1;
        else yield { ok: true, document: document(record, context.nextSeq()) };
      }
    }
  }
}

function isOfSpan({ traceId, spanId }: LogRecord): boolean {
  return isTraceId(traceId) && isSpanId(spanId);
}

type Fault = { readonly code: RejectionCode; readonly message: string };

const TOO_DEEP: Fault = {
  code: 'DocumentTooDeep',
  message: `an attribute nests deeper than ${MAX_VALUE_DEPTH} levels`,
};

/** Why a span can not be stored. Times are taken as they are: clocks of senders are what they are. */
function faultOf(span: Span): Fault | undefined {
  if (!isTraceId(span.traceId)) {
    return { code: 'InvalidTraceId', message: `trace id "${shown(span.traceId)}" is not 16 bytes with a bit set` };
  }
  if (!isSpanId(span.spanId)) {
    return { code: 'InvalidId', message: `span id "${shown(span.spanId)}" is not 8 bytes with a bit set` };
  }
  const parentId = parentOf(span.parentSpanId);
  if (parentId !== undefined && !isSpanId(parentId)) {
    return { code: 'InvalidParentId', message: `parent span id "${shown(parentId)}" is not 8 bytes` };
  }
  const isDeep =
    hasDeepValue(span.attributes) ||
    span.events?.some(({ attributes }) => hasDeepValue(attributes)) ||
    span.links?.some(({ attributes }) => hasDeepValue(attributes));
  return isDeep ? TOO_DEEP : undefined;
}

const shown = (id: string) => id.slice(0, 40);

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

const SHOWN_REJECTIONS = 5;

/** Each with its span; answers must stay small however many there are. */
function messageOf(first: readonly Rejection[], count: number): string {
  const told = first.map(({ id, message }) => `span ${shown(id ?? '')}: ${message}`);
  return [...told, ...(count > told.length ? [`and ${count - told.length} more`] : [])].join('; ');
}
