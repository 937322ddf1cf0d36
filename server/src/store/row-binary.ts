/**
 * ClickHouse's RowBinary, written straight into one growing buffer: no object per row.
 * @see https://clickhouse.com/docs/en/interfaces/formats/RowBinary
 */
export type RowBuffer = { bytes: Buffer; length: number };

export function createRowBuffer(initialBytes = 64 * 1024): RowBuffer {
  return { bytes: Buffer.allocUnsafe(initialBytes), length: 0 };
}

export function writtenBytes({ bytes, length }: RowBuffer): Uint8Array {
  return bytes.subarray(0, length);
}

/** Makes room for `count` more bytes. The size doubles, so that appending takes linear time. */
function reserve(target: RowBuffer, count: number): void {
  const needed = target.length + count;
  if (needed <= target.bytes.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, target.bytes.length * 2));
  target.bytes.copy(grown, 0, 0, target.length);
  target.bytes = grown;
}

export function writeUInt8(target: RowBuffer, value: number): void {
  reserve(target, 1);
  target.bytes[target.length++] = value;
}

export function writeBool(target: RowBuffer, value: boolean): void {
  writeUInt8(target, value ? 1 : 0);
}

/** Copies bytes that are rows already. */
export function writeBytes(target: RowBuffer, bytes: Uint8Array): void {
  reserve(target, bytes.length);
  target.bytes.set(bytes, target.length);
  target.length += bytes.length;
}

/** Rounds down and clamps to 0 to 65535; NaN becomes 0. */
export function writeUInt16(target: RowBuffer, value: number): void {
  reserve(target, 2);
  target.length = target.bytes.writeUInt16LE(clamp(value, 0xffff), target.length);
}

/** Exact from -32768 to 32767. */
export function writeInt16(target: RowBuffer, value: number): void {
  reserve(target, 2);
  target.length = target.bytes.writeInt16LE(value, target.length);
}

/** Rounds down and clamps to 0 to 4294967295; NaN becomes 0. */
export function writeUInt32(target: RowBuffer, value: number): void {
  reserve(target, 4);
  target.length = target.bytes.writeUInt32LE(clamp(value, 0xffff_ffff), target.length);
}

/** Rounds down and clamps to 0 to 2^53 - 1; NaN becomes 0. */
export function writeUInt64(target: RowBuffer, value: number): void {
  writeInt64(target, clamp(value, Number.MAX_SAFE_INTEGER));
}

/** Does what `writeUInt32LE` does without its checks. */
function putUInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A whole number, exact from -2^53 to 2^53. */
export function writeInt64(target: RowBuffer, value: number): void {
  reserve(target, 8);
  // No BigInt: each would be an object.
  const high = Math.floor(value / 0x1_0000_0000);
  putUInt32(target.bytes, target.length, value - high * 0x1_0000_0000);
  putUInt32(target.bytes, target.length + 4, high);
  target.length += 8;
}

export function writeFloat64(target: RowBuffer, value: number): void {
  reserve(target, 8);
  target.length = target.bytes.writeDoubleLE(value, target.length);
}

/** A length in 7-bit groups, least significant first (LEB128). */
export function writeLength(target: RowBuffer, length: number): void {
  reserve(target, 8);
  let rest = length;
  while (rest >= 0x80) {
    target.bytes[target.length++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target.bytes[target.length++] = rest;
}

/** An array: the number of its items, then each. */
export function writeList<Item>(
  target: RowBuffer,
  items: readonly Item[],
  write: (target: RowBuffer, item: Item) => void,
): void {
  writeLength(target, items.length);
  for (const item of items) write(target, item);
}

/** UTF-8; half a surrogate pair becomes the replacement character. */
export function writeString(target: RowBuffer, text: string): void {
  // A UTF-16 unit takes at most three bytes. So the length of a short text fits into one byte and need not be computed
  // first.
  if (text.length <= 42) {
    reserve(target, 1 + text.length * 3);
    const written = writeShort(target.bytes, text, target.length + 1);
    target.bytes[target.length] = written;
    target.length += 1 + written;
    return;
  }
  if (text.length < 0x4000 && writeAscii(target, text)) return;
  const byteLength = Buffer.byteLength(text);
  writeLength(target, byteLength);
  reserve(target, byteLength);
  target.length += target.bytes.write(text, target.length);
}

/** False if the text has other characters than those of ASCII, or not less than 16 KiB; then nothing is written. */
function writeAscii(target: RowBuffer, text: string): boolean {
  reserve(target, 2 + text.length * 3);
  const { bytes, length } = target;
  const start = length + lengthBytesOf(text.length);
  // Most texts are ASCII: computing the length first would cost as much as writing them.
  if (writeText(bytes, text, start) !== text.length) return false;
  putLength(bytes, length, text.length);
  target.length = start + text.length;
  return true;
}

/** Replaces a number that `writeUInt64` wrote. */
export function replaceUInt64(target: RowBuffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  target.bytes.writeUInt32LE(value - high * 0x1_0000_0000, at);
  target.bytes.writeUInt32LE(high, at + 4);
}

/** Reads a number that `writeUInt64` wrote. Throws RangeError if it does not end within the bytes. */
export function readUInt64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** Copies a range of bytes. A call into native code costs more than copying a few bytes. */
export function writeRange(target: RowBuffer, from: Uint8Array, start: number, end: number): void {
  const count = end - start;
  reserve(target, count);
  const { bytes, length } = target;
  if (count > 64) bytes.set(from.subarray(start, end), length);
  else for (let at = 0; at < count; at++) bytes[length + at] = from[start + at] as number;
  target.length += count;
}

/**
 * Reads a text of `writeString`, or bytes behind their length as one Latin-1 character each. Throws RangeError if it does
 * not end within the bytes.
 */
export function readString(
  bytes: Buffer,
  at: number,
  encoding: 'utf8' | 'latin1' = 'utf8',
): { readonly text: string; readonly end: number } {
  const { start, end } = stringAt(bytes, at);
  return { text: bytes.toString(encoding, start, end), end };
}

/** The position behind a string. Throws as `readString` does. */
export const endOfString = (bytes: Buffer, at: number): number => stringAt(bytes, at).end;

function stringAt(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  let byteLength = 0;
  let start = at;
  for (let scale = 1; ; scale *= 0x80) {
    const group = bytes.readUInt8(start++);
    byteLength += (group & 0x7f) * scale;
    if (group < 0x80) break;
  }
  const end = start + byteLength;
  if (end > bytes.length) throw new RangeError(`a text of ${byteLength} bytes exceeds its buffer`);
  return { start, end };
}

/** Writes `prefix`, which is UTF-8, and `text` as one string of less than 16 KiB. */
export function writePrefixed(target: RowBuffer, prefix: Buffer, text: string): void {
  const prefixLength = prefix.length;
  reserve(target, 2 + prefixLength + text.length * 3);
  const { bytes, length } = target;
  const start = length + lengthBytesOf(prefixLength + text.length);
  for (let at = 0; at < prefixLength; at++) bytes[start + at] = prefix[at] as number;
  const end = start + prefixLength + writeText(bytes, text, start + prefixLength);
  if (end - start === prefixLength + text.length) {
    putLength(bytes, length, end - start);
    target.length = end;
  } else writeString(target, prefix.toString() + text);
}

/** The same for a range of ASCII characters. */
export function writePrefixedRange(
  target: RowBuffer,
  prefix: Uint8Array,
  from: Uint8Array,
  start: number,
  end: number,
): void {
  const prefixLength = prefix.length;
  const byteLength = prefixLength + end - start;
  reserve(target, 2 + byteLength);
  const { bytes, length } = target;
  putLength(bytes, length, byteLength);
  let to = length + lengthBytesOf(byteLength);
  for (let at = 0; at < prefixLength; at++) bytes[to++] = prefix[at] as number;
  for (let at = start; at < end; at++) bytes[to++] = from[at] as number;
  target.length = to;
}

/** Writes a range of UTF-8 as a string. */
export function writeTextRange(target: RowBuffer, from: Uint8Array, start: number, end: number): void {
  writeLength(target, end - start);
  writeRange(target, from, start, end);
}

/** Writes a range of hex digits in lower case as bytes. */
export function writeHexRange(target: RowBuffer, from: Uint8Array, start: number, byteLength: number): void {
  reserve(target, byteLength);
  const { bytes, length } = target;
  for (let at = 0; at < byteLength; at++) {
    const digits = start + 2 * at;
    bytes[length + at] = (hexDigit(from[digits] as number) << 4) | hexDigit(from[digits + 1] as number);
  }
  target.length += byteLength;
}

/** Bytes of the length of a string below 16 KiB. */
const lengthBytesOf = (byteLength: number): number => (byteLength < 0x80 ? 1 : 2);

function putLength(bytes: Buffer, at: number, byteLength: number): void {
  if (byteLength < 0x80) bytes[at] = byteLength;
  else {
    bytes[at] = (byteLength & 0x7f) | 0x80;
    bytes[at + 1] = byteLength >>> 7;
  }
}

/** Writes `name=value` without building the string. */
export function writePair(target: RowBuffer, name: string, value: string): void {
  reserve(target, 2 + (name.length + value.length) * 3);
  const { bytes, length } = target;
  let end = length + 1 + writeShort(bytes, name, length + 1);
  bytes[end++] = 0x3d;
  end += writeShort(bytes, value, end);
  const byteLength = end - length - 1;
  if (byteLength < 0x80) {
    bytes[length] = byteLength;
    target.length = end;
  } else writeString(target, `${name}=${value}`);
}

/** From this length on a call into native code costs less than a loop. */
const NATIVE_LENGTH = 48;

/** Returns the number of bytes. */
function writeText(bytes: Buffer, text: string, offset: number): number {
  return text.length < NATIVE_LENGTH ? writeShort(bytes, text, offset) : bytes.write(text, offset);
}

/** Returns the number of bytes. A call into native code costs more than copying a few ASCII characters. */
function writeShort(bytes: Buffer, text: string, offset: number): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return bytes.write(text, offset);
    bytes[offset + index] = code;
  }
  return text.length;
}

/** Writes `2 * byteLength` hex digits as bytes; zero bytes for undefined. */
export function writeHex(target: RowBuffer, hex: string | undefined, byteLength: number): void {
  reserve(target, byteLength);
  const { bytes, length } = target;
  target.length += byteLength;
  if (hex === undefined) {
    for (let at = 0; at < byteLength; at++) bytes[length + at] = 0;
    return;
  }
  for (let at = 0; at < byteLength; at++) {
    bytes[length + at] = (hexDigit(hex.charCodeAt(2 * at)) << 4) | hexDigit(hex.charCodeAt(2 * at + 1));
  }
}

/** Writes once more what was written at `at`. */
export function repeatBytes(target: RowBuffer, at: number, count: number): void {
  reserve(target, count);
  const { bytes, length } = target;
  for (let index = 0; index < count; index++) bytes[length + index] = bytes[at + index] as number;
  target.length += count;
}

/** `code` is that of `0`-`9` or `a`-`f`. Bit 6 is set for letters only. */
function hexDigit(code: number): number {
  return (code & 0xf) + (code & 0x40 ? 9 : 0);
}

function clamp(value: number, max: number): number {
  if (!(value > 0)) return 0;
  return value > max ? max : Math.floor(value);
}
