/**
 * OpenTelemetry's messages as in OTLP/JSON, in one canonical form: ids in lower-case hex, 64-bit integers as decimal
 * text, bytes in base64, members with their default value omitted or undefined. All fields of the protocol are kept;
 * unknown fields are not.
 * @see https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
 */

/** A double as JSON can hold it: `-0` and values that are not finite are text. */
export type DoubleValue = number | '-0' | 'NaN' | 'Infinity' | '-Infinity';

/** Has one member at most; without one it is the empty value. */
export type AnyValue = {
  readonly stringValue?: string | undefined;
  readonly boolValue?: boolean | undefined;
  readonly intValue?: string | undefined;
  readonly doubleValue?: DoubleValue | undefined;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] | undefined };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] | undefined };
  readonly bytesValue?: string | undefined;
};

export type KeyValue = { readonly key?: string | undefined; readonly value?: AnyValue | undefined };

type WithAttributes = {
  readonly attributes?: readonly KeyValue[] | undefined;
  readonly droppedAttributesCount?: number | undefined;
};

export type EntityRef = {
  readonly schemaUrl?: string | undefined;
  readonly type?: string | undefined;
  readonly idKeys?: readonly string[] | undefined;
  readonly descriptionKeys?: readonly string[] | undefined;
};

export type Resource = WithAttributes & { readonly entityRefs?: readonly EntityRef[] | undefined };

export type Scope = WithAttributes & { readonly name?: string | undefined; readonly version?: string | undefined };

export type SpanEvent = WithAttributes & {
  readonly timeUnixNano?: string | undefined;
  readonly name?: string | undefined;
};

export type SpanLink = WithAttributes & {
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly traceState?: string | undefined;
  readonly flags?: number | undefined;
};

/** `code`: 0 unset, 1 ok, 2 error. */
export type SpanStatus = { readonly message?: string | undefined; readonly code?: number | undefined };

export type Span = WithAttributes & {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string | undefined;
  readonly parentSpanId?: string | undefined;
  readonly flags?: number | undefined;
  readonly name?: string | undefined;
  /** One of `KIND`, or a number of a later version of the protocol. */
  readonly kind?: number | undefined;
  /** Nanoseconds since 1970; absent for 0. A span without an end is unfinished. */
  readonly startTimeUnixNano?: string | undefined;
  readonly endTimeUnixNano?: string | undefined;
  readonly events?: readonly SpanEvent[] | undefined;
  readonly droppedEventsCount?: number | undefined;
  readonly links?: readonly SpanLink[] | undefined;
  readonly droppedLinksCount?: number | undefined;
  readonly status?: SpanStatus | undefined;
};

export type LogRecord = WithAttributes & {
  readonly timeUnixNano?: string | undefined;
  readonly observedTimeUnixNano?: string | undefined;
  readonly severityNumber?: number | undefined;
  readonly severityText?: string | undefined;
  readonly body?: AnyValue | undefined;
  readonly flags?: number | undefined;
  readonly traceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly eventName?: string | undefined;
};

export type ScopeSpans = {
  readonly scope?: Scope | undefined;
  readonly spans?: readonly Span[] | undefined;
  readonly schemaUrl?: string | undefined;
};

export type ResourceSpans = {
  readonly resource?: Resource | undefined;
  readonly scopeSpans?: readonly ScopeSpans[] | undefined;
  readonly schemaUrl?: string | undefined;
};

export type ScopeLogs = {
  readonly scope?: Scope | undefined;
  readonly logRecords?: readonly LogRecord[] | undefined;
  readonly schemaUrl?: string | undefined;
};

export type ResourceLogs = {
  readonly resource?: Resource | undefined;
  readonly scopeLogs?: readonly ScopeLogs[] | undefined;
  readonly schemaUrl?: string | undefined;
};

export type TracesData = { readonly resourceSpans?: readonly ResourceSpans[] | undefined };

export type LogsData = { readonly resourceLogs?: readonly ResourceLogs[] | undefined };

export const KIND = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

export const STATUS = { unset: 0, ok: 1, error: 2 } as const;

/** Bits of `flags` beside the eight of W3C's trace flags. */
export const FLAG = { sampled: 0x1, isRemoteKnown: 0x100, isRemote: 0x200 } as const;

/** One span with its resource and scope: the content of a document of the format `otlp`. */
export type SpanWithResource = {
  readonly resource: Resource;
  readonly resourceSchemaUrl: string | undefined;
  readonly scope: Scope;
  readonly scopeSchemaUrl: string | undefined;
  readonly span: Span;
};

/** One log record with its resource and scope: the content of a document of the format `otlp-log`. */
export type LogWithResource = {
  readonly resource: Resource;
  readonly resourceSchemaUrl: string | undefined;
  readonly scope: Scope;
  readonly scopeSchemaUrl: string | undefined;
  readonly record: LogRecord;
};
