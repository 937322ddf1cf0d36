import { printJson } from './exact-json.ts';
import { plainOf } from './otlp/any-value.ts';
import type { TraceSpan } from './otlp/documents/trace-to-spans.ts';
import { nanosToUs } from './otlp/nanos.ts';
import { parentIdOf } from './otlp/span-ids.ts';
import { eventsOfRecords } from './otlp/to-xray/exceptions.ts';
import {
  type AnyValue,
  type KeyValue,
  type LogRecord,
  type Resource,
  type Scope,
  type Span,
  STATUS,
} from './otlp-messages.ts';

/**
 * Jaeger's JSON for its query API. Times are whole microseconds.
 * @see https://github.com/jaegertracing/jaeger/blob/main/internal/uimodel/model.go
 */
export type JaegerTrace = {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, JaegerProcess>>;
  readonly warnings: readonly string[] | null;
};

export type JaegerSpan = {
  readonly traceID: string;
  readonly spanID: string;
  readonly flags?: number;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
};

export type JaegerReference = {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
};

export type JaegerProcess = { readonly serviceName: string; readonly tags: readonly JaegerTag[] };

/** An integer that a double cannot hold is text, as in Jaeger. */
export type JaegerTag =
  | { readonly key: string; readonly type: 'string' | 'binary'; readonly value: string }
  | { readonly key: string; readonly type: 'bool'; readonly value: boolean }
  | { readonly key: string; readonly type: 'int64' | 'float64'; readonly value: number | string };

/**
 * One process for each service and resource, `p1`, `p2` …, in the order of the spans. `records` are log records of
 * exceptions; they are added to the logs of their spans.
 */
export function jaegerTrace(
  traceId: string,
  spans: readonly TraceSpan[],
  records: readonly LogRecord[] = [],
): JaegerTrace {
  const processes: Record<string, JaegerProcess> = {};
  const idOf = new Map<string, string>();
  const tagsOfProcess = processTags();
  const processOf = ({ service, spanWithResource }: TraceSpan): string => {
    const { tags, key } = tagsOfProcess(spanWithResource.resource);
    const keyWithService = JSON.stringify([service, key]);
    const known = idOf.get(keyWithService);
    if (known !== undefined) return known;
    const id = `p${idOf.size + 1}`;
    idOf.set(keyWithService, id);
    processes[id] = { serviceName: service, tags };
    return id;
  };
  const recordsOf = new Map<string, LogRecord[]>();
  for (const record of records) {
    const ofSpan = recordsOf.get(record.spanId ?? '');
    if (ofSpan === undefined) recordsOf.set(record.spanId ?? '', [record]);
    else ofSpan.push(record);
  }
  const jaegerSpans = spans.map((span) =>
    jaegerSpan(span, recordsOf.get(span.spanWithResource.span.spanId) ?? [], processOf(span)),
  );
  return { traceID: traceId, spans: jaegerSpans, processes, warnings: null };
}

/** The tags of a resource; resources with the same tags have the same `key`. Stored spans share objects of resources. */
function processTags(): (resource: Resource) => { readonly tags: readonly JaegerTag[]; readonly key: string } {
  const known = new Map<Resource, { readonly tags: readonly JaegerTag[]; readonly key: string }>();
  return (resource) => {
    const before = known.get(resource);
    if (before !== undefined) return before;
    const attributes = (resource.attributes ?? []).filter(({ key }) => key !== 'service.name');
    const made = { tags: attributes.map(tagOf), key: JSON.stringify(attributes) };
    known.set(resource, made);
    return made;
  };
}

function jaegerSpan(
  { spanWithResource: { span, scope } }: TraceSpan,
  records: readonly LogRecord[],
  processID: string,
): JaegerSpan {
  const { traceId, spanId, name = '', flags = 0 } = span;
  const startUs = nanosToUs(span.startTimeUnixNano) ?? 0;
  const endUs = nanosToUs(span.endTimeUnixNano);
  return {
    traceID: traceId,
    spanID: spanId,
    ...((flags & 0xff) !== 0 && { flags: flags & 0xff }),
    operationName: name,
    references: referencesOf(span),
    startTime: startUs,
    duration: endUs === undefined ? 0 : Math.max(0, endUs - startUs),
    tags: tagsOf(span, scope),
    logs: [...(span.events ?? []), ...eventsOfRecords(span, records)].map(
      ({ timeUnixNano, name: event, attributes = [] }) => ({
        timestamp: nanosToUs(timeUnixNano) ?? 0,
        fields: [...textTags('event', event), ...attributes.map(tagOf)],
      }),
    ),
    processID,
    warnings: endUs === undefined ? ['the span is in progress'] : null,
  };
}

/** The parent first: for clients the first CHILD_OF is the parent. */
function referencesOf({ traceId, parentSpanId, links = [] }: Span): readonly JaegerReference[] {
  const parent = parentIdOf(parentSpanId);
  const followed = links.map(({ traceId: traceID = '', spanId: spanID = '' }) => ({
    refType: 'FOLLOWS_FROM' as const,
    traceID,
    spanID,
  }));
  return parent === undefined ? followed : [{ refType: 'CHILD_OF', traceID: traceId, spanID: parent }, ...followed];
}

const KINDS = [undefined, 'internal', 'server', 'client', 'producer', 'consumer'];

/** Tags for all data without a member in Jaeger, with the names and in the order of Jaeger's own translator. */
function tagsOf({ attributes = [], kind = 0, status = {}, traceState }: Span, scope: Scope): readonly JaegerTag[] {
  const isError = status.code === STATUS.error;
  return [
    ...textTags('otel.scope.name', scope.name),
    ...textTags('otel.scope.version', scope.version),
    ...attributes.map(tagOf),
    ...textTags('span.kind', KINDS[kind]),
    ...textTags('otel.status_code', isError ? 'ERROR' : status.code === STATUS.ok ? 'OK' : undefined),
    ...(isError ? [{ key: 'error', type: 'bool' as const, value: true }] : []),
    ...textTags('otel.status_description', status.message),
    ...textTags('w3c.tracestate', traceState),
  ];
}

/** `span.kind` as in Jaeger's operations; empty for an unspecified kind. */
export function spanKindOf({ kind = 0 }: Pick<Span, 'kind'>): string {
  return KINDS[kind] ?? '';
}

function textTags(key: string, value: string | undefined): readonly JaegerTag[] {
  return value === undefined || value === '' ? [] : [{ key, type: 'string', value }];
}

/** Lists, maps and empty values have no type in Jaeger and become JSON text. */
function tagOf({ key = '', value = {} }: KeyValue): JaegerTag {
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = value;
  if (stringValue !== undefined) return { key, type: 'string', value: stringValue };
  if (boolValue !== undefined) return { key, type: 'bool', value: boolValue };
  if (intValue !== undefined) return { key, type: 'int64', value: exactNumber(intValue) };
  if (doubleValue !== undefined) return doubleTag(key, doubleValue);
  if (bytesValue !== undefined) return { key, type: 'binary', value: bytesValue };
  return { key, type: 'string', value: isEmpty(value) ? '' : printJson(plainOf(value)) };
}

/** The text by which searches compare a tag. */
export const tagText = (attribute: KeyValue): string => String(tagOf(attribute).value);

const isEmpty = ({ arrayValue, kvlistValue }: AnyValue) => arrayValue === undefined && kvlistValue === undefined;

function exactNumber(integer: string): number | string {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** JSON has no numbers for NaN and the infinities: they become text. */
function doubleTag(key: string, value: NonNullable<AnyValue['doubleValue']>): JaegerTag {
  const number = Number(value);
  if (!Number.isFinite(number)) return { key, type: 'string', value: String(value) };
  return { key, type: 'float64', value: number };
}
