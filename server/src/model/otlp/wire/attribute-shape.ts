/*
 * The fields of a span that no column holds, in two texts that compress better apart: what spans of one operation
 * have in common, and what differs. Columns of `documents` hold them, the first one in a dictionary.
 *
 *   shape   the tags of the context; of each attribute behind it: its tag, its key, the type of its value; then the
 *           flags, if they are last
 *   values  the context; of each of these attributes: its value; then all other fields
 *
 * A length that depends on the value is 0 in the shape. So both texts together are as long as the fields. An attribute
 * of another form has only its tag in the shape: a value that is nested or empty, a length of two bytes.
 */

const ATTRIBUTE = 74;
/** The state of the trace and the parent, which has a length of 8. */
const CONTEXT = { traceState: 26, parent: 34, parentBytes: 8 } as const;
/** Tags inside of an attribute, and of the values that a shape may have. */
const TAG = { key: 10, value: 18, text: 10, bool: 16, int: 24, double: 33, bytes: 58 } as const;
/** Behind a tag: the rest of the attribute is in the values. Else there is a length, which is 0. */
const LENGTH = 0;
/** Tag 133 in two bytes, and four bytes. */
const FLAGS_BYTES = 6;
const ONE_BYTE = 0x80;

/** Two texts, which are overwritten by the next call. `shape` is empty if nothing is gained. */
export type SplitFields = { shape: Buffer; shapeBytes: number; values: Buffer; valueBytes: number };

const MAX_BYTES = 0x4000;
const split: SplitFields = {
  shape: Buffer.allocUnsafe(MAX_BYTES),
  shapeBytes: 0,
  values: Buffer.allocUnsafe(MAX_BYTES),
  valueBytes: 0,
};

/** Where the fields are: those of the context, if there are any, and those behind the times. */
export type FieldRanges = {
  readonly contextStart: number;
  readonly contextEnd: number;
  readonly restStart: number;
  readonly end: number;
};

/** Splits less than 16 KiB. */
export function splitFields(bytes: Uint8Array, { contextStart, contextEnd, restStart, end }: FieldRanges): SplitFields {
  split.shapeBytes = 0;
  split.valueBytes = 0;
  splitContext(bytes, contextStart, contextEnd);
  splitRest(bytes, restStart, end);
  return split;
}

/** The state of the trace, the parent, both or nothing, as `behindContext` finds them. */
function splitContext(bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  if (at < end && bytes[at] === CONTEXT.traceState) {
    const stateEnd = at + 2 + (bytes[at + 1] as number);
    toShape(bytes, at, at + 1);
    toValues(bytes, at + 1, stateEnd);
    at = stateEnd;
  }
  if (at >= end) return;
  const valueAt = at + (bytes[at + 1] === CONTEXT.parentBytes ? 2 : 1);
  toShape(bytes, at, valueAt);
  toValues(bytes, valueAt, end);
}

/** The position behind the state of the trace and the parent, if they begin at `at`. */
export function behindContext(bytes: Uint8Array, at: number): number {
  let behind = at;
  if (bytes[behind] === CONTEXT.traceState) behind += 2 + (bytes[behind + 1] as number);
  if (bytes[behind] === CONTEXT.parent) behind += 2 + (bytes[behind + 1] as number);
  return behind;
}

export const isContext = (tag: number | undefined): boolean => tag === CONTEXT.traceState || tag === CONTEXT.parent;

function splitRest(bytes: Uint8Array, start: number, end: number): void {
  const flagsAt = end - FLAGS_BYTES;
  const hasFlags = flagsAt >= start && bytes[flagsAt] === 0x85 && bytes[flagsAt + 1] === 1;
  const fieldsEnd = hasFlags ? flagsAt : end;
  let at = start;
  while (at < fieldsEnd && bytes[at] === ATTRIBUTE) {
    const attributeEnd = endOfAttribute(bytes, at + 1, fieldsEnd);
    if (attributeEnd === undefined) break;
    const valueAt = plainValueAt(bytes, at, attributeEnd);
    toShape(bytes, at, valueAt);
    if (valueAt > at + 1) {
      // The length of the attribute, and that of its value, which is in front of the type.
      split.shape[split.shapeBytes - (valueAt - at) + 1] = LENGTH;
      split.shape[split.shapeBytes - 2] = LENGTH;
    }
    toValues(bytes, valueAt, attributeEnd);
    at = attributeEnd;
  }
  toValues(bytes, at, fieldsEnd);
  toShape(bytes, fieldsEnd, end);
}

/** Behind the attribute whose length is at `at`; undefined if it does not end in front of `end`. */
function endOfAttribute(bytes: Uint8Array, at: number, end: number): number | undefined {
  const first = bytes[at] as number;
  const second = bytes[at + 1] as number;
  const isShort = first < ONE_BYTE;
  if (!isShort && (second >= ONE_BYTE || second === 0)) return undefined;
  const attributeEnd = isShort ? at + 1 + first : at + 2 + (first % ONE_BYTE) + second * ONE_BYTE;
  return attributeEnd <= end ? attributeEnd : undefined;
}

/** Where the value begins, behind its type; behind the tag of the attribute if the shape has no more of it. */
function plainValueAt(bytes: Uint8Array, at: number, end: number): number {
  const keyBytes = bytes[at + 3] as number;
  const valueTagAt = at + 4 + keyBytes;
  const valueAt = valueTagAt + 3;
  const isPlain =
    end - at - 2 < ONE_BYTE &&
    bytes[at + 2] === TAG.key &&
    keyBytes < ONE_BYTE &&
    valueAt < end &&
    bytes[valueTagAt] === TAG.value &&
    bytes[valueTagAt + 1] === end - valueTagAt - 2 &&
    valueEnd(bytes, bytes[valueTagAt + 2] as number, valueAt) === end;
  return isPlain ? valueAt : at + 1;
}

/** Behind a value of the type; undefined for another type. May be any number behind the end of the bytes. */
function valueEnd(bytes: Uint8Array, type: number, at: number): number | undefined {
  switch (type) {
    case TAG.text:
    case TAG.bytes: {
      const length = bytes[at] as number;
      return length < ONE_BYTE ? at + 1 + length : undefined;
    }
    case TAG.bool:
    case TAG.int: {
      let end = at;
      while ((bytes[end] as number) >= ONE_BYTE) end++;
      return end + 1;
    }
    case TAG.double:
      return at + 8;
    default:
      return undefined;
  }
}

function toShape(bytes: Uint8Array, start: number, end: number): void {
  const { shape, shapeBytes } = split;
  for (let at = start; at < end; at++) shape[shapeBytes + at - start] = bytes[at] as number;
  split.shapeBytes += end - start;
}

function toValues(bytes: Uint8Array, start: number, end: number): void {
  const { values, valueBytes } = split;
  for (let at = start; at < end; at++) values[valueBytes + at - start] = bytes[at] as number;
  split.valueBytes += end - start;
}

/** The fields that were split, without the times. A row of an earlier version has no shape: values only. */
export function joinFields(shape: string, values: Buffer): Buffer {
  if (shape === '') return values;
  const [from, of] = [Buffer.from(shape, 'latin1'), values];
  const fields = Buffer.allocUnsafe(from.length + of.length);
  let length = 0;
  let shapeAt = 0;
  let valueAt = 0;
  for (const tag of [CONTEXT.traceState, CONTEXT.parent]) {
    if (from[shapeAt] !== tag) continue;
    const hasLength = tag === CONTEXT.parent && from[shapeAt + 1] === CONTEXT.parentBytes;
    const shapeEnd = shapeAt + (hasLength ? 2 : 1);
    const end = valueAt + (hasLength ? CONTEXT.parentBytes : 1 + (of[valueAt] ?? 0));
    length += from.copy(fields, length, shapeAt, shapeEnd);
    length += of.copy(fields, length, valueAt, end);
    shapeAt = shapeEnd;
    valueAt = end;
  }
  while (from[shapeAt] === ATTRIBUTE) {
    const fieldAt = length;
    const isPlain = shapeAt + 1 < from.length && from[shapeAt + 1] === LENGTH;
    const shapeEnd = isPlain ? shapeAt + 7 + (from[shapeAt + 3] as number) : shapeAt + 1;
    const type = from[shapeEnd - 1] as number;
    const end = isPlain ? valueEnd(of, type, valueAt) : endOfAttribute(of, valueAt, of.length);
    if (end === undefined) throw new RangeError('a span has other values than its shape says');
    length += from.copy(fields, length, shapeAt, shapeEnd);
    length += of.copy(fields, length, valueAt, end);
    if (isPlain) {
      const valueLengthAt = fieldAt + 5 + (from[shapeAt + 3] as number);
      fields[fieldAt + 1] = length - fieldAt - 2;
      fields[valueLengthAt] = length - valueLengthAt - 1;
    }
    shapeAt = shapeEnd;
    valueAt = end;
  }
  length += of.copy(fields, length, valueAt);
  length += from.copy(fields, length, shapeAt);
  return fields.subarray(0, length);
}
