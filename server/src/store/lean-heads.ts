import { areEqual } from '../model/bytes.ts';
import type { TraceId } from '../model/trace-id.ts';
import { type RowBuffer, writeFloat64, writeUInt32 } from './row-binary.ts';

/**
 * What lean documents without objects have in common, as a record of bytes for each: the id of its trace, its `seq`, and
 * the length of its stored body. They wait for seconds until they are rolled up, and the garbage collector copies each
 * object that waits twice.
 */
export type LeanHeads = Buffer;

const [SEQ_AT, BODY_AT] = [16, 24];
export const HEAD_BYTES = 28;
export const TRACE_BYTES = 16;

export const NO_HEADS: LeanHeads = Buffer.alloc(0);

/** Call it once the id of the trace is written. */
export function writeHead(heads: RowBuffer, seq: number, bodyBytes: number): void {
  writeFloat64(heads, seq);
  writeUInt32(heads, bodyBytes);
}

export function numberHead(heads: RowBuffer, index: number, seq: number): void {
  heads.bytes.writeDoubleLE(seq, index * HEAD_BYTES + SEQ_AT);
}

/** A copy, so that the buffer can be used again. */
export const copyOf = ({ bytes, length }: RowBuffer): Buffer => Buffer.from(bytes.subarray(0, length));

export const headCount = (heads: LeanHeads): number => heads.length / HEAD_BYTES;

export const seqAt = (heads: LeanHeads, index: number): number => heads.readDoubleLE(index * HEAD_BYTES + SEQ_AT);

export const bodyBytesAt = (heads: LeanHeads, index: number): number =>
  heads.readUInt32LE(index * HEAD_BYTES + BODY_AT);

export function traceIdAt(heads: LeanHeads, index: number): TraceId {
  const at = index * HEAD_BYTES;
  return heads.toString('hex', at, at + TRACE_BYTES) as TraceId;
}

export const isSameTrace = (heads: LeanHeads, index: number, others: LeanHeads, other: number): boolean =>
  isOfTrace(heads, index, others, other * HEAD_BYTES);

/** Whether the document has the trace id at `traceAt` of `bytes`. */
export const isOfTrace = (heads: LeanHeads, index: number, bytes: Buffer, traceAt: number): boolean =>
  areEqual(heads, index * HEAD_BYTES, bytes, traceAt, TRACE_BYTES);

/** Equal for equal trace ids. The ids come from senders, which cannot know the hash. */
export function traceHash(bytes: Buffer, at: number): number {
  let hash = HASH_SEED;
  for (let word = at; word < at + TRACE_BYTES; word += 4) {
    hash = Math.imul(hash ^ bytes.readInt32LE(word), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

const HASH_SEED = Math.floor(Math.random() * 0x1_0000_0000);

export const traceHashAt = (heads: LeanHeads, index: number): number => traceHash(heads, index * HEAD_BYTES);
