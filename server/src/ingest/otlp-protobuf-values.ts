import type { AnyValue, DoubleValue, KeyValue } from '../model/otlp/types.ts';
import { MAX_VALUE_DEPTH } from '../model/otlp/wire/limits.ts';
import { keepText } from '../model/otlp/wire/span-text.ts';
import { type Bytes, closeAt, endOf, readInt64 } from './protobuf-reader.ts';

/** Of the attributes of spans most have been there before: the same bytes give the same object, and are not read again. */
const SLOTS = 4096;
const MAX_KEPT_BYTES = 128;
type Kept = { readonly bytes: Uint8Array; readonly attribute: KeyValue };
const kept: (Kept | undefined)[] = new Array(SLOTS).fill(undefined);
/** What last came by each slot. Only what comes twice in a row is kept, so that ids push nothing out. */
const seen = new Int32Array(SLOTS);

/** The attribute that begins here, with its length. It may be shared by any number of spans. */
export function readAttribute(reader: Bytes): KeyValue {
  const end = endOf(reader);
  const { buf, pos: start } = reader;
  const length = end - start;
  if (length > MAX_KEPT_BYTES) return readKeyValue(reader, end, 0);
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (buf[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const found = kept[slot];
  if (found !== undefined && isAt(buf, start, length, found.bytes)) {
    reader.pos = end;
    return found.attribute;
  }
  const attribute = readKeyValue(reader, end, 0);
  if (seen[slot] === hash) {
    kept[slot] = { bytes: Uint8Array.prototype.slice.call(buf, start, end), attribute };
    keepText(attribute);
  }
  seen[slot] = hash;
  return attribute;
}

function isAt(buf: Uint8Array, start: number, length: number, bytes: Uint8Array): boolean {
  if (bytes.length !== length) return false;
  for (let at = 0; at < length; at++) if (buf[start + at] !== bytes[at]) return false;
  return true;
}

function readKeyValue(reader: Bytes, end: number, depth: number): KeyValue {
  const target: { -readonly [Member in keyof KeyValue]: KeyValue[Member] } = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        target.key = reader.string() || undefined;
        break;
      case 2:
        target.value = readAnyValue(reader, endOf(reader), depth, target.value);
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  closeAt(reader, end);
  return target;
}

const EMPTY_VALUE: AnyValue = {};

/** Of several members the last wins; two lists, or two maps, are one. */
export function readAnyValue(reader: Bytes, end: number, depth: number, before: AnyValue = EMPTY_VALUE): AnyValue {
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
        readArray(reader, endOf(reader), depth + 1, values);
        value = { arrayValue: values.length > 0 ? { values } : {} };
        break;
      }
      case 6: {
        const values = (value.kvlistValue?.values ?? []) as KeyValue[];
        readKeyValueList(reader, endOf(reader), depth + 1, values);
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
  closeAt(reader, end);
  return value;
}

/** Adds to `values`, which are this value's own. */
function readArray(reader: Bytes, end: number, depth: number, values: AnyValue[]): void {
  if (depth > MAX_VALUE_DEPTH) reader.pos = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) values.push(readAnyValue(reader, endOf(reader), depth));
    else reader.skipType(tag & 7);
  }
  closeAt(reader, end);
}

function readKeyValueList(reader: Bytes, end: number, depth: number, values: KeyValue[]): void {
  if (depth > MAX_VALUE_DEPTH) reader.pos = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) values.push(readKeyValue(reader, endOf(reader), depth));
    else reader.skipType(tag & 7);
  }
  closeAt(reader, end);
}

/** JSON knows neither a negative zero nor what is not finite. */
export function doubleOf(value: number): DoubleValue {
  if (Object.is(value, -0)) return '-0';
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
