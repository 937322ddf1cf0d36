import { splitFields } from '../../model/otlp/wire/attribute-shape.ts';
import { NANOS_BYTES, packedSpan } from '../../model/otlp/wire/packed-span.ts';
import { SPAN_TAG } from '../../model/otlp/wire/stored-span.ts';
import {
  type RowBuffer,
  writeBool,
  writeBytes,
  writeInt16,
  writeLength,
  writeRange,
  writeString,
  writeUInt8,
  writeUInt64,
} from '../row-binary.ts';

type DocumentTimes = { readonly isUnfinished: boolean; readonly startUs: number; readonly endUs: number };

export function writeTimes(target: RowBuffer, { isUnfinished, startUs, endUs }: DocumentTimes): void {
  writeBool(target, isUnfinished);
  writeUInt64(target, startUs);
  writeUInt64(target, endUs);
}

/** The last four columns of other rows: empty texts, and kind 0. */
export const NOT_PACKED = Buffer.alloc(4);

export function writeNotPacked(target: RowBuffer): void {
  writeRange(target, NOT_PACKED, 0, NOT_PACKED.length);
}

/** The parts of a stored span, see model/otlp/wire/stored-span.ts. */
type StoredSpan = {
  readonly labels: Uint8Array;
  /** The end of the label of the service. */
  readonly kindAt: number;
  /** The fields 4 to 6. */
  readonly shared: Uint8Array;
  /** The span is in them from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
};

/**
 * The columns from `format` on. The row begins with its ids at `idsAt`. Returns the length of the text of the document,
 * in bytes.
 */
export function writeStoredSpan(target: RowBuffer, idsAt: number, times: DocumentTimes, stored: StoredSpan): number {
  const { labels, kindAt, shared, bytes, start, end } = stored;
  const { startUs, endUs } = times;
  const spanBytes = end - start;
  const textBytes = labels.length + shared.length + 1 + lengthBytes(spanBytes) + spanBytes;
  const packed = packedSpan(bytes, start, end, { ids: target.bytes, idsAt, startUs, endUs, labels, kindAt });
  writeString(target, packed === undefined ? 'otlp-protobuf' : 'otlp-packed');
  writeTimes(target, times);
  if (packed === undefined) {
    writeLength(target, textBytes);
    writeRange(target, labels, 0, labels.length);
    writeBytes(target, shared);
    // The length of a text in RowBinary and that of a field in protobuf are the same varint.
    writeLength(target, SPAN_TAG);
    writeLength(target, spanBytes);
    writeRange(target, bytes, start, end);
    writeNotPacked(target);
    return textBytes;
  }
  const { shape, shapeBytes, values, valueBytes } = splitFields(bytes, packed);
  writeLength(target, NANOS_BYTES + valueBytes);
  writeInt16(target, packed.startNs);
  writeInt16(target, packed.endNs);
  writeRange(target, values, 0, valueBytes);
  writeLength(target, kindAt + shared.length);
  writeRange(target, labels, 0, kindAt);
  writeBytes(target, shared);
  // The length of the name and the name, as in the span.
  writeRange(target, bytes, packed.contextEnd + 1, packed.nameEnd);
  writeUInt8(target, packed.kind);
  writeLength(target, shapeBytes);
  writeRange(target, shape, 0, shapeBytes);
  return textBytes;
}

function lengthBytes(length: number): number {
  let bytes = 1;
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
