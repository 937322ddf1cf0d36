import protobuf from 'protobufjs/minimal.js';
import { OpenrayError } from '../../../errors.ts';
import { MAX_VALUES } from './limits.ts';

const { Reader } = protobuf;

/** Counts submessages: each one of two bytes becomes an object many times as large. */
export type BoundedReader = protobuf.Reader & { messagesLeft: number };

export function newBoundedReader(bytes: Buffer): BoundedReader {
  return Object.assign(Reader.create(bytes), { messagesLeft: MAX_VALUES });
}

/** A small body can expand to more objects than fit into memory. */
export function tooManyValues(): OpenrayError {
  return new OpenrayError('RequestTooLargeException', `the request holds more than ${MAX_VALUES} values`);
}

/** Reads the length of a length-delimited field and returns the position of its end. */
export function readFieldEnd(reader: BoundedReader): number {
  if (--reader.messagesLeft < 0) throw tooManyValues();
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('a field is longer than the message');
  return end;
}

/** Throws when a field is longer than the message around it. */
export function checkFieldEnd(reader: BoundedReader, end: number): void {
  if (reader.pos !== end) throw new RangeError('a field is longer than the message that holds it');
}

export function readHex(reader: BoundedReader): string {
  const end = readFieldEnd(reader);
  const text = (reader.buf as Buffer).toString('hex', reader.pos, end);
  reader.pos = end;
  return text;
}

export function readFixed64(reader: BoundedReader): string | undefined {
  const low = reader.fixed32();
  const high = reader.fixed32();
  if (low === 0 && high === 0) return undefined;
  return ((BigInt(high) << 32n) | BigInt(low)).toString();
}

/** A varint of up to ten bytes, two's complement. Most are small and need no BigInt. */
export function readInt64(reader: BoundedReader): string {
  const { low, high } = reader.int64();
  if (high === 0) return String(low >>> 0);
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString();
}
