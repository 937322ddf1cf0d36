import type { Entity, Http } from '../model/entity.ts';
import type { LeanSpan } from '../model/lean-document.ts';
import type { Shape } from '../model/otlp/to-xray/span-shape.ts';
import type { OutcomeFlags } from '../model/outcome.ts';
import type { EntityId, TraceId } from '../model/trace-id.ts';
import {
  bodyBytesAt,
  copyOf,
  HEAD_BYTES,
  type LeanHeads,
  NO_HEADS,
  numberHead,
  seqAt,
  TRACE_BYTES,
  writeHead,
} from './lean-heads.ts';
import { flagBits, flagsOfBits } from './outcome-bits.ts';
import { createRowBuffer, type RowBuffer, writeFloat64, writeHex, writeRange, writeUInt16 } from './row-binary.ts';

/** Lean spans without objects: a record of bytes for each, and references to values that many spans share. */
export type LeanSpans = {
  readonly kind: 'spans';
  readonly heads: LeanHeads;
  readonly records: Buffer;
  readonly shared: readonly SharedOfSpans[];
  /** Of the entities that have the ids of the spans. */
  readonly names: readonly string[];
  readonly users: readonly (string | undefined)[];
  /** Undefined for most spans. */
  readonly details: readonly (SpanDetails | undefined)[];
};

/** Lean spans while they are added. */
export type LeanSpanBuffer = {
  readonly heads: RowBuffer;
  readonly records: RowBuffer;
  readonly shared: SharedOfSpans[];
  readonly names: string[];
  readonly users: (string | undefined)[];
  readonly details: (SpanDetails | undefined)[];
};

/** The part that all spans of a resource share. */
export type SharedOfSpans = {
  readonly xray: LeanSpan['resource'];
  readonly segment: Pick<Entity, 'origin' | 'resourceArn' | 'accountId' | 'fields'>;
};

type SpanDetails = {
  /** Of a segment without a parent. */
  readonly http: Http | undefined;
  readonly callee: Entity['callee'];
  /** Of a call with a segment around it: the name of that segment. */
  readonly serviceName: string | undefined;
};

/** A span, with the positions of its ids in the request. */
export type AddedSpan = SpanDetails & {
  readonly request: Uint8Array;
  readonly traceAt: number;
  readonly idAt: number;
  /** -1 without a parent. */
  readonly parentAt: number;
  readonly startUs: number;
  readonly endUs: number | undefined;
  readonly bodyBytes: number;
  readonly shape: Shape;
  readonly isServer: boolean;
  readonly dependsOnParent: boolean;
  readonly isRemote: boolean;
  readonly hasSql: boolean;
  /** Of the entity that has the id of the span. */
  readonly flags: OutcomeFlags;
  /** Of the segment around a call, and its id. */
  readonly serviceFlags: OutcomeFlags;
  readonly serviceId: EntityId | undefined;
  readonly shared: SharedOfSpans;
  readonly name: string;
  readonly user: string | undefined;
};

/** A record has the id of the span at 0, then these. */
const [PARENT_AT, SERVICE_AT, START_AT, END_AT, BITS_AT] = [8, 16, 24, 32, 40];
const RECORD_BYTES = 42;
/** Of memory: with references, and the place in the index. An estimate. */
export const LEAN_SPAN_BYTES = HEAD_BYTES + RECORD_BYTES + 64;

const BITS = {
  isSegment: 0x1,
  isSegmentAndCall: 0x2,
  hasParent: 0x4,
  isServer: 0x8,
  dependsOnParent: 0x10,
  isRemote: 0x20,
  hasSql: 0x40,
} as const;
/** Three bits for the flags of each entity. */
const FLAGS_AT = 7;
const SERVICE_FLAGS_AT = 10;

export const newLeanSpanBuffer = (): LeanSpanBuffer => ({
  heads: createRowBuffer(),
  records: createRowBuffer(),
  shared: [],
  names: [],
  users: [],
  details: [],
});

export function clearLeanSpans({ heads, records, shared, names, users, details }: LeanSpanBuffer): void {
  for (const column of [heads, records, shared, names, users, details]) column.length = 0;
}

/** Adds a span without `seq`. */
export function addLeanSpan(target: LeanSpanBuffer, span: AddedSpan): void {
  const { heads, records } = target;
  const { request, traceAt, idAt, parentAt, http, callee, serviceName } = span;
  writeRange(heads, request, traceAt, traceAt + TRACE_BYTES);
  writeHead(heads, 0, span.bodyBytes);
  writeRange(records, request, idAt, idAt + 8);
  if (parentAt < 0) writeHex(records, undefined, 8);
  else writeRange(records, request, parentAt, parentAt + 8);
  writeHex(records, span.serviceId, 8);
  writeFloat64(records, span.startUs);
  writeFloat64(records, span.endUs ?? Number.NaN);
  writeUInt16(records, bitsOf(span));
  const hasDetails = http !== undefined || callee !== undefined || serviceName !== undefined;
  target.shared.push(span.shared);
  target.names.push(interned(span.name));
  target.users.push(span.user);
  target.details.push(hasDetails ? { http, callee, serviceName } : undefined);
}

function bitsOf(span: AddedSpan): number {
  const { shape, flags, serviceFlags } = span;
  return (
    (shape === 'segment' ? BITS.isSegment : 0) |
    (shape === 'segment-and-call' ? BITS.isSegmentAndCall : 0) |
    (span.parentAt < 0 ? 0 : BITS.hasParent) |
    (span.isServer ? BITS.isServer : 0) |
    (span.dependsOnParent ? BITS.dependsOnParent : 0) |
    (span.isRemote ? BITS.isRemote : 0) |
    (span.hasSql ? BITS.hasSql : 0) |
    (flagBits(flags) << FLAGS_AT) |
    (flagBits(serviceFlags) << SERVICE_FLAGS_AT)
  );
}

/** Texts that wait are those of few objects: spans repeat their names. */
const names = new Map<string, string>();
const MAX_NAMES = 2_000;

function interned(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (names.size >= MAX_NAMES) names.clear();
  names.set(name, name);
  return name;
}

export const numberLeanSpan = ({ heads }: LeanSpanBuffer, index: number, seq: number): void =>
  numberHead(heads, index, seq);

/** A copy, so that the buffer can be used again. */
export function copyLeanSpans({ heads, records, shared, names, users, details }: LeanSpanBuffer): LeanSpans {
  return {
    kind: 'spans',
    heads: copyOf(heads),
    records: copyOf(records),
    shared: shared.slice(),
    names: names.slice(),
    users: users.slice(),
    details: details.slice(),
  };
}

export const NO_LEAN_SPANS: LeanSpans = {
  kind: 'spans',
  heads: NO_HEADS,
  records: Buffer.alloc(0),
  shared: [],
  names: [],
  users: [],
  details: [],
};

/** The object of a span, which costs more than all that is kept of it: make it when it is needed. */
export function leanSpanAt(spans: LeanSpans, index: number, traceId: TraceId): LeanSpan {
  const { records } = spans;
  const at = index * RECORD_BYTES;
  const bits = records.readUInt16LE(at + BITS_AT);
  // One call into native code for all ids.
  const ids = records.toString('hex', at, at + START_AT);
  const idIn = (idAt: number) => ids.slice(2 * idAt, 2 * idAt + 16) as EntityId;
  const id = idIn(0);
  const parentId = (bits & BITS.hasParent) === 0 ? undefined : idIn(PARENT_AT);
  const ofSpan = { traceId, id, parentId };
  const serviceId = idIn(SERVICE_AT);
  return {
    format: 'lean-span',
    traceId,
    id,
    seq: seqAt(spans.heads, index),
    entities:
      (bits & BITS.isSegment) !== 0
        ? [segmentAt(spans, index, ofSpan, bits, true)]
        : (bits & BITS.isSegmentAndCall) !== 0
          ? [
              segmentAt(spans, index, { ...ofSpan, id: serviceId }, bits, false),
              callAt(spans, index, { ...ofSpan, parentId: serviceId }, bits),
            ]
          : [callAt(spans, index, ofSpan, bits)],
    bodyBytes: bodyBytesAt(spans.heads, index),
    parentId,
    isServer: (bits & BITS.isServer) !== 0,
    dependsOnParent: (bits & BITS.dependsOnParent) !== 0,
    resource: (spans.shared[index] as SharedOfSpans).xray,
  };
}

type Ids = Pick<Entity, 'traceId' | 'id' | 'parentId'>;

/** `isOfSpan` is false for the segment around a call. */
function segmentAt(spans: LeanSpans, index: number, ids: Ids, bits: number, isOfSpan: boolean): Entity {
  const { origin, resourceArn, accountId, fields } = (spans.shared[index] as SharedOfSpans).segment;
  const { outcome, isFault, isError, isThrottle } = flagsOfBits(bits >> (isOfSpan ? FLAGS_AT : SERVICE_FLAGS_AT));
  const { traceId, id, parentId } = ids;
  const details = spans.details[index];
  return {
    traceId,
    id,
    parentId,
    kind: 'segment',
    name: isOfSpan ? (spans.names[index] as string) : (details?.serviceName ?? ''),
    startUs: startUsAt(spans, index),
    endUs: endUsAt(spans, index),
    namespace: undefined,
    origin,
    user: isOfSpan ? spans.users[index] : undefined,
    resourceArn,
    accountId,
    outcome,
    isFault,
    isError,
    isThrottle,
    http: isOfSpan ? details?.http : undefined,
    cause: undefined,
    annotations: NO_ANNOTATIONS,
    metadata: undefined,
    links: NO_LINKS,
    fields,
  };
}

function callAt(spans: LeanSpans, index: number, { traceId, id, parentId }: Ids, bits: number): Entity {
  const { outcome, isFault, isError, isThrottle } = flagsOfBits(bits >> FLAGS_AT);
  const callee = spans.details[index]?.callee;
  return {
    traceId,
    id,
    parentId,
    kind: 'subsegment',
    name: spans.names[index] as string,
    startUs: startUsAt(spans, index),
    endUs: endUsAt(spans, index),
    namespace: (bits & BITS.isRemote) === 0 ? undefined : 'remote',
    origin: undefined,
    user: spans.users[index],
    resourceArn: undefined,
    accountId: undefined,
    outcome,
    isFault,
    isError,
    isThrottle,
    http: undefined,
    cause: undefined,
    annotations: NO_ANNOTATIONS,
    metadata: undefined,
    links: NO_LINKS,
    ...(callee !== undefined && { callee }),
    fields: (bits & BITS.hasSql) === 0 ? NO_FIELDS : SQL_FIELDS,
  };
}

const startUsAt = ({ records }: LeanSpans, index: number): number =>
  records.readDoubleLE(index * RECORD_BYTES + START_AT);

function endUsAt({ records }: LeanSpans, index: number): number | undefined {
  const endUs = records.readDoubleLE(index * RECORD_BYTES + END_AT);
  return Number.isNaN(endUs) ? undefined : endUs;
}

const NO_LINKS: Entity['links'] = [];
const NO_ANNOTATIONS = {};
const NO_FIELDS = {};
const SQL_FIELDS = { aws: null, sql: {} };
