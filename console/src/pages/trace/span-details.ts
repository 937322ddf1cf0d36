import type { AnyValue, GetSpanResponse, KeyValue } from 'openray/api-types';
import { FLAG, type JsonValue, KIND, plainOf, STATUS, type TraceId } from 'openray/model';
import { formatExact } from '../../shared/format.ts';

/** One attribute; `type` is the name of its OpenTelemetry type. */
export type Attribute = { readonly key: string; readonly value: JsonValue; readonly type: string };

export type SpanDetails = {
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly flags: string | undefined;
  readonly traceState: string | undefined;
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** Nanoseconds since 1970 as decimal text, since a double cannot hold them exactly; undefined for none. */
  readonly startNanos: string | undefined;
  readonly endNanos: string | undefined;
  readonly attributes: readonly Attribute[];
  readonly events: readonly {
    readonly name: string;
    readonly timeNanos: string | undefined;
    readonly attributes: readonly Attribute[];
    readonly dropped: number;
  }[];
  readonly links: readonly {
    readonly traceId: TraceId;
    readonly spanId: string;
    readonly traceState: string | undefined;
    readonly attributes: readonly Attribute[];
    readonly dropped: number;
  }[];
  readonly scope: {
    readonly name: string;
    readonly version: string | undefined;
    readonly schemaUrl: string | undefined;
    readonly attributes: readonly Attribute[];
  };
  readonly resource: { readonly schemaUrl: string | undefined; readonly attributes: readonly Attribute[] };
  /** Counts of the data that the sender dropped, one text each. */
  readonly dropped: readonly string[];
};

/** The span of a response; undefined where it has none. */
export function spanDetailsOf({ ResourceSpans }: GetSpanResponse): SpanDetails | undefined {
  const inResource = ResourceSpans[0];
  const inScope = inResource?.scopeSpans?.[0];
  const span = inScope?.spans?.[0];
  if (inResource === undefined || inScope === undefined || span === undefined) return undefined;
  const { resource = {} } = inResource;
  const { scope = {} } = inScope;
  return {
    name: span.name ?? '',
    kind: KINDS[span.kind ?? 0] ?? `kind ${span.kind}`,
    status: statusText(span.status?.code ?? 0, span.status?.message),
    flags: span.flags === undefined ? undefined : flagsText(span.flags),
    traceState: span.traceState,
    spanId: span.spanId,
    parentId: span.parentSpanId,
    startNanos: span.startTimeUnixNano,
    endNanos: span.endTimeUnixNano,
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name = '', timeUnixNano, attributes, droppedAttributesCount = 0 }) => ({
      name,
      timeNanos: timeUnixNano,
      attributes: attributesOf(attributes),
      dropped: droppedAttributesCount,
    })),
    links: (span.links ?? []).map(
      ({ traceId = '', spanId = '', traceState, attributes, droppedAttributesCount = 0 }) => ({
        // OTLP/JSON has trace ids in the model's form.
        traceId: traceId as TraceId,
        spanId,
        traceState,
        attributes: attributesOf(attributes),
        dropped: droppedAttributesCount,
      }),
    ),
    scope: {
      name: scope.name ?? '',
      version: scope.version,
      schemaUrl: inScope.schemaUrl,
      attributes: attributesOf(scope.attributes),
    },
    resource: { schemaUrl: inResource.schemaUrl, attributes: attributesOf(resource.attributes) },
    dropped: [
      droppedText(span.droppedAttributesCount, 'attribute', 'the span'),
      droppedText(span.droppedEventsCount, 'event', 'the span'),
      droppedText(span.droppedLinksCount, 'link', 'the span'),
      droppedText(scope.droppedAttributesCount, 'attribute', 'the scope'),
      droppedText(resource.droppedAttributesCount, 'attribute', 'the resource'),
    ].filter((text) => text !== undefined),
  };
}

const KINDS: Readonly<Record<number, string>> = {
  [KIND.unspecified]: 'Unspecified',
  [KIND.internal]: 'Internal',
  [KIND.server]: 'Server',
  [KIND.client]: 'Client',
  [KIND.producer]: 'Producer',
  [KIND.consumer]: 'Consumer',
};

const STATUSES: Readonly<Record<number, string>> = {
  [STATUS.unset]: 'Unset',
  [STATUS.ok]: 'OK',
  [STATUS.error]: 'Error',
};

function statusText(code: number, message: string | undefined): string {
  const name = STATUSES[code] ?? `code ${code}`;
  return message === undefined || message === '' ? name : `${name}: ${message}`;
}

/** @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
function flagsText(flags: number): string {
  const parent = (flags & FLAG.isRemoteKnown) === 0 ? '' : flags & FLAG.isRemote ? ', remote parent' : ', local parent';
  return `${(flags & FLAG.sampled) === 0 ? 'not sampled' : 'sampled'}${parent} (0x${flags.toString(16)})`;
}

function droppedText(count: number | undefined, unit: string, owner: string): string | undefined {
  if (count === undefined || count === 0) return undefined;
  return `${formatExact(count)} ${unit}${count === 1 ? '' : 's'} of ${owner}`;
}

function attributesOf(list: readonly KeyValue[] | undefined): readonly Attribute[] {
  return (list ?? []).map(({ key = '', value }) => ({ key, value: plainOf(value), type: typeOf(value) }));
}

const TYPES: Readonly<Record<keyof AnyValue, string>> = {
  stringValue: 'string',
  boolValue: 'bool',
  intValue: 'int',
  doubleValue: 'double',
  bytesValue: 'bytes, in base64',
  arrayValue: 'array',
  kvlistValue: 'map',
};

function typeOf(value: AnyValue = {}): string {
  const [, type = 'empty'] =
    Object.entries(TYPES).find(([member]) => value[member as keyof AnyValue] !== undefined) ?? [];
  return type;
}

/** Nanoseconds from one time to another; subtracted as BigInt, since a double cannot hold the times exactly. */
export function nanosBetween(from: string | undefined, to: string | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  return Number(BigInt(to) - BigInt(from));
}
