import type { AnyValue, GetSpanResponse, KeyValue } from 'openray/api-types';
import { FLAG, type JsonValue, KIND, STATUS, type TraceId } from 'openray/model';
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
  return (list ?? []).map(({ key = '', value }) => ({ key, ...plainValue(value) }));
}

/** Whole numbers of more than 53 bits stay text, so that no digit is lost. */
function plainValue(value: AnyValue | undefined): { readonly value: JsonValue; readonly type: string } {
  if (value?.stringValue !== undefined) return { value: value.stringValue, type: 'string' };
  if (value?.boolValue !== undefined) return { value: value.boolValue, type: 'bool' };
  if (value?.intValue !== undefined) {
    const number = Number(value.intValue);
    return { value: Number.isSafeInteger(number) ? number : value.intValue, type: 'int' };
  }
  if (value?.doubleValue !== undefined) return { value: value.doubleValue, type: 'double' };
  if (value?.bytesValue !== undefined) return { value: value.bytesValue, type: 'bytes, in base64' };
  if (value?.arrayValue)
    return { value: (value.arrayValue.values ?? []).map((one) => plainValue(one).value), type: 'array' };
  if (value?.kvlistValue) {
    const members = value.kvlistValue.values ?? [];
    return {
      value: Object.fromEntries(members.map((one) => [one.key ?? '', plainValue(one.value).value])),
      type: 'map',
    };
  }
  return { value: null, type: 'empty' };
}

/** Nanoseconds from one time to another; subtracted as BigInt, since a double cannot hold the times exactly. */
export function nanosBetween(from: string | undefined, to: string | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  return Number(BigInt(to) - BigInt(from));
}
