import { crc32 } from 'node:zlib';

/**
 * A journal file is a sequence of records, without a header of its own:
 *
 *   marker (4 bytes) | length of the payload (UInt32LE) | CRC-32 (UInt32LE) | version (1 byte) | payload
 *
 * The checksum covers length, version and payload. The marker is where a reader looks for the next record after damage.
 */
const MARKER = Buffer.from([0xf1, 0x4f, 0x52, 0x4a]);
const VERSION = 1;
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;
const VERSION_AT = 12;
const HEADER_BYTES = 13;

/** The bytes in front of a payload. */
export function recordHeader(payload: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  MARKER.copy(header);
  header.writeUInt32LE(payload.length, LENGTH_AT);
  header[VERSION_AT] = VERSION;
  header.writeUInt32LE(checksum(header, payload), CHECKSUM_AT);
  return header;
}

function checksum(header: Buffer, payload: Uint8Array): number {
  const ofLength = crc32(header.subarray(LENGTH_AT, CHECKSUM_AT));
  return crc32(payload, crc32(header.subarray(VERSION_AT, HEADER_BYTES), ofLength));
}

/** A part of a journal file, in bytes from its beginning. */
export type JournalRange = { readonly fromByte: number; readonly toByte: number };

export type JournalContent = {
  /** Payloads of the intact records, in order. They share the memory of the file. */
  readonly payloads: readonly Buffer[];
  /** Ranges before an intact record that are no records: a disk or a person changed the file. */
  readonly damaged: readonly JournalRange[];
  /** The end of the file behind its last intact record: a write that was not finished, and so not acknowledged. */
  readonly torn: JournalRange | undefined;
};

/** Reads a whole journal file. Never throws: every byte is in a record, in a damaged range or in the torn end. */
export function readRecords(file: Buffer): JournalContent {
  const payloads: Buffer[] = [];
  const damaged: JournalRange[] = [];
  let readTo = 0;
  let at = 0;
  while (at >= 0) {
    const payload = payloadAt(file, at);
    if (payload === undefined) {
      at = file.indexOf(MARKER, at + 1);
      continue;
    }
    if (at > readTo) damaged.push({ fromByte: readTo, toByte: at });
    payloads.push(payload);
    at += HEADER_BYTES + payload.length;
    readTo = at;
  }
  return {
    payloads,
    damaged,
    torn: readTo < file.length ? { fromByte: readTo, toByte: file.length } : undefined,
  };
}

/** The payload of the record that begins at this byte; undefined if none does, or if it is not intact. */
function payloadAt(file: Buffer, at: number): Buffer | undefined {
  if (at + HEADER_BYTES > file.length) return undefined;
  const header = file.subarray(at, at + HEADER_BYTES);
  if (!header.subarray(0, LENGTH_AT).equals(MARKER) || header[VERSION_AT] !== VERSION) return undefined;
  const end = at + HEADER_BYTES + header.readUInt32LE(LENGTH_AT);
  if (end > file.length) return undefined;
  const payload = file.subarray(at + HEADER_BYTES, end);
  return checksum(header, payload) === header.readUInt32LE(CHECKSUM_AT) ? payload : undefined;
}
