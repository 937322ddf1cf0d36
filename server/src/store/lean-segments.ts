import type { Entity } from '../model/entity.ts';
import type { OutcomeFlags } from '../model/outcome.ts';
import type { EntityId, TraceId } from '../model/trace-id.ts';
import type { LeanSegment } from '../model/xray-document.ts';
import { bodyBytesAt, copyOf, HEAD_BYTES, type LeanHeads, seqAt, writeHead } from './lean-heads.ts';
import { flagBits, flagsOfBits } from './outcome-bits.ts';
import { createRowBuffer, type RowBuffer, writeFloat64, writeHex, writeHexRange, writeUInt16 } from './row-binary.ts';

/** Lean documents of X-Ray without objects: a record of bytes for each entity, and references to values. */
export type LeanSegments = {
  readonly kind: 'segments';
  readonly heads: LeanHeads;
  /** By document: the index after its last entity. */
  readonly ends: readonly number[];
  readonly records: Buffer;
  readonly names: readonly string[];
  readonly namespaces: readonly (string | undefined)[];
  /** One object for entities with the same ones. */
  readonly annotations: readonly Entity['annotations'][];
  /** Undefined for most subsegments. */
  readonly details: readonly (EntityDetails | undefined)[];
  /** Of memory. An estimate. */
  readonly memoryBytes: number;
};

export type EntityDetails = Pick<Entity, 'origin' | 'user' | 'resourceArn' | 'accountId' | 'http' | 'cause' | 'fields'>;

/** Lean documents while they are added. */
export type LeanSegmentBuffer = {
  readonly heads: RowBuffer;
  readonly ends: number[];
  readonly records: RowBuffer;
  readonly names: string[];
  readonly namespaces: (string | undefined)[];
  readonly annotations: Entity['annotations'][];
  readonly details: (EntityDetails | undefined)[];
  objectBytes: number;
};

/** An entity, with the positions of its ids in the text: 16 hex digits each. */
export type AddedEntity = {
  readonly bytes: Uint8Array;
  readonly idAt: number;
  /** -1 without a parent. */
  readonly parentAt: number;
  readonly kind: Entity['kind'];
  readonly startUs: number;
  readonly endUs: number | undefined;
  readonly flags: OutcomeFlags;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly annotations: Entity['annotations'];
  readonly details: EntityDetails | undefined;
  /** Length of the text of the values above that no other entity shares. */
  readonly ownBytes: number;
};

/** A record has the id of the entity at 0, then these. */
const [PARENT_AT, START_AT, END_AT, BITS_AT] = [8, 16, 24, 32];
const RECORD_BYTES = 34;
/** Of memory: its references. */
const REFERENCE_BYTES = 32;
/** Of memory: its end, and its place in the index. */
const PLACE_BYTES = 32;
/** An object takes about this many times the memory of its text. */
const OBJECT_FACTOR = 2;

const BITS = { isSegment: 0x1, hasParent: 0x2 } as const;
const FLAGS_AT = 2;

export const newLeanSegmentBuffer = (): LeanSegmentBuffer => ({
  heads: createRowBuffer(),
  ends: [],
  records: createRowBuffer(),
  names: [],
  namespaces: [],
  annotations: [],
  details: [],
  objectBytes: 0,
});

export function clearLeanSegments(buffer: LeanSegmentBuffer): void {
  const { heads, ends, records, names, namespaces, annotations, details } = buffer;
  for (const column of [heads, ends, records, names, namespaces, annotations, details]) column.length = 0;
  buffer.objectBytes = 0;
}

/** Adds an entity of the document that `endLeanSegment` ends: the top one first. */
export function addLeanEntity(target: LeanSegmentBuffer, entity: AddedEntity): void {
  const { records } = target;
  const { bytes, idAt, parentAt } = entity;
  writeHexRange(records, bytes, idAt, 8);
  if (parentAt < 0) writeHex(records, undefined, 8);
  else writeHexRange(records, bytes, parentAt, 8);
  writeFloat64(records, entity.startUs);
  writeFloat64(records, entity.endUs ?? Number.NaN);
  writeUInt16(
    records,
    (entity.kind === 'segment' ? BITS.isSegment : 0) |
      (parentAt < 0 ? 0 : BITS.hasParent) |
      (flagBits(entity.flags) << FLAGS_AT),
  );
  target.names.push(entity.name);
  target.namespaces.push(entity.namespace);
  target.annotations.push(entity.annotations);
  target.details.push(entity.details);
  target.objectBytes += OBJECT_FACTOR * entity.ownBytes;
}

/** Call it once the id of the trace is written to `heads`. */
export function endLeanSegment({ heads, ends, names }: LeanSegmentBuffer, seq: number, bodyBytes: number): void {
  writeHead(heads, seq, bodyBytes);
  ends.push(names.length);
}

/** A copy, so that the buffer can be used again. */
export function copyLeanSegments(buffer: LeanSegmentBuffer): LeanSegments {
  const { heads, ends, records, names, namespaces, annotations, details, objectBytes } = buffer;
  return {
    kind: 'segments',
    heads: copyOf(heads),
    ends: ends.slice(),
    records: copyOf(records),
    names: names.slice(),
    namespaces: namespaces.slice(),
    annotations: annotations.slice(),
    details: details.slice(),
    memoryBytes:
      ends.length * (HEAD_BYTES + PLACE_BYTES) + names.length * (RECORD_BYTES + REFERENCE_BYTES) + objectBytes,
  };
}

/** The object of a document, which costs more than all that is kept of it: make it when it is needed. */
export function leanSegmentAt(segments: LeanSegments, index: number, traceId: TraceId): LeanSegment {
  const { heads, ends } = segments;
  const entities: Entity[] = [];
  const first = index === 0 ? 0 : (ends[index - 1] as number);
  for (let at = first; at < (ends[index] as number); at++) entities.push(entityAt(segments, at, traceId));
  return {
    format: 'lean-segment',
    traceId,
    id: (entities[0] as Entity).id,
    seq: seqAt(heads, index),
    entities,
    bodyBytes: bodyBytesAt(heads, index),
  };
}

function entityAt(
  { records, names, namespaces, annotations, details }: LeanSegments,
  index: number,
  traceId: TraceId,
): Entity {
  const at = index * RECORD_BYTES;
  const bits = records.readUInt16LE(at + BITS_AT);
  // One call into native code for both ids.
  const ids = records.toString('hex', at, at + START_AT);
  const endUs = records.readDoubleLE(at + END_AT);
  const { outcome, isFault, isError, isThrottle } = flagsOfBits(bits >> FLAGS_AT);
  const { origin, user, resourceArn, accountId, http, cause, fields } = details[index] ?? NO_DETAILS;
  return {
    traceId,
    id: ids.slice(0, 2 * PARENT_AT) as EntityId,
    parentId: (bits & BITS.hasParent) === 0 ? undefined : (ids.slice(2 * PARENT_AT) as EntityId),
    kind: (bits & BITS.isSegment) === 0 ? 'subsegment' : 'segment',
    name: names[index] as string,
    startUs: records.readDoubleLE(at + START_AT),
    endUs: Number.isNaN(endUs) ? undefined : endUs,
    namespace: namespaces[index],
    origin,
    user,
    resourceArn,
    accountId,
    outcome,
    isFault,
    isError,
    isThrottle,
    http,
    cause,
    annotations: annotations[index] as Entity['annotations'],
    metadata: undefined,
    links: NO_LINKS,
    fields,
  };
}

const NO_LINKS: Entity['links'] = [];
const NO_DETAILS: EntityDetails = {
  origin: undefined,
  user: undefined,
  resourceArn: undefined,
  accountId: undefined,
  http: undefined,
  cause: undefined,
  fields: {},
};
