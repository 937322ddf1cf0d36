import type { AnyValue, DoubleValue, KeyValue } from '../../otlp-messages.ts';
import { type BoundedReader, checkFieldEnd, readFieldEnd, readInt64 } from './bounded-reader.ts';
import { MAX_VALUE_DEPTH } from './limits.ts';

/** Most attributes of spans repeat: the same bytes give the same object, without parsing them again. */
const CACHE_SIZE = 4096;
const MAX_CACHED_BYTES = 128;
type CachedAttribute = { readonly bytes: Uint8Array; readonly attribute: KeyValue };
const attributeCache: (CachedAttribute | undefined)[] = new Array(CACHE_SIZE).fill(undefined);
/**
 * Hash of the last attribute of each entry. An attribute is cached when it comes twice in a row, so that ids evict
 * nothing.
 */
const lastHashes = new Int32Array(CACHE_SIZE);

/** Reads an attribute with its length prefix. Spans may share the returned object. */
export function readAttribute(reader: BoundedReader): KeyValue {
  const end = readFieldEnd(reader);
  const { buf, pos: start } = reader;
  const length = end - start;
  if (length > MAX_CACHED_BYTES) return readKeyValue(reader, end, 0);
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (buf[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SIZE - 1);
  const found = attributeCache[slot];
  if (found !== undefined && hasBytesAt(buf, start, length, found.bytes)) {
    reader.pos = end;
    return found.attribute;
  }
  const attribute = readKeyValue(reader, end, 0);
  if (lastHashes[slot] === hash) {
    attributeCache[slot] = { bytes: Uint8Array.prototype.slice.call(buf, start, end), attribute };
  }
  lastHashes[slot] = hash;
  return attribute;
}

function hasBytesAt(buf: Uint8Array, start: number, length: number, bytes: Uint8Array): boolean {
  if (bytes.length !== length) return false;
  for (let at = 0; at < length; at++) if (buf[start + at] !== bytes[at]) return false;
  return true;
}

export function readKeyValue(reader: BoundedReader, end: number, depth: number): KeyValue {
  const target: { -readonly [Member in keyof KeyValue]: KeyValue[Member] } = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.key = reader.string() || undefined;
        break;
      case 2:
        target.value = readAnyValue(reader, readFieldEnd(reader), depth, target.value);
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  return target;
}

const EMPTY_VALUE: AnyValue = {};

/** Of several members the last is read; two lists or two maps are merged, as protobuf defines. */
export function readAnyValue(
  reader: BoundedReader,
  end: number,
  depth: number,
  before: AnyValue = EMPTY_VALUE,
): AnyValue {
  let value = before;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        value = { stringValue: reader.string() };
        break;
      case 2:
        value = { boolValue: reader.bool() };
        break;
      case 3:
        value = { intValue: readInt64(reader) };
        break;
      case 4:
        value = { doubleValue: doubleOf(reader.double()) };
        break;
      case 5: {
        const values = (value.arrayValue?.values ?? []) as AnyValue[];
        readArray(reader, readFieldEnd(reader), depth + 1, values);
        value = { arrayValue: values.length > 0 ? { values } : {} };
        break;
      }
      case 6: {
        const values = (value.kvlistValue?.values ?? []) as KeyValue[];
        readKeyValueList(reader, readFieldEnd(reader), depth + 1, values);
        value = { kvlistValue: values.length > 0 ? { values } : {} };
        break;
      }
      case 7:
        value = { bytesValue: Buffer.from(reader.bytes()).toString('base64') };
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  checkFieldEnd(reader, end);
  return value;
}

/** Appends to `values`, which belong to this value only. */
function readArray(reader: BoundedReader, end: number, depth: number, values: AnyValue[]): void {
  if (depth > MAX_VALUE_DEPTH) reader.pos = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) values.push(readAnyValue(reader, readFieldEnd(reader), depth));
    else reader.skipType(tag & 7);
  }
  checkFieldEnd(reader, end);
}

function readKeyValueList(reader: BoundedReader, end: number, depth: number, values: KeyValue[]): void {
  if (depth > MAX_VALUE_DEPTH) reader.pos = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) values.push(readKeyValue(reader, readFieldEnd(reader), depth));
    else reader.skipType(tag & 7);
  }
  checkFieldEnd(reader, end);
}

/** JSON has neither a negative zero nor numbers that are not finite. */
export function doubleOf(value: number): DoubleValue {
  if (Object.is(value, -0)) return '-0';
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
