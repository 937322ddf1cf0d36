import { crc32 } from 'node:zlib';

/**
 * A journal file is a sequence of records, without a header of its own:
 *
 *   marker (4 bytes) | length of the payload (UInt32LE) | CRC-32 (UInt32LE) | version (1 byte) | payload
 *
 * The version is that of the payload. The checksum covers length, version and payload. The marker is where a reader looks for the next record after damage.
 */
const MARKER = Buffer.from([0xf1, 0x4f, 0x52, 0x4a]);
/**
 * Of rows of `documents`: 1 before migration 0011, without the columns of packed spans; 2 before migration 0013, without
 * shapes.
 */
export type PayloadVersion = 1 | 2 | 3;
const VERSION: PayloadVersion = 3;
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;
const VERSION_AT = 12;
const HEADER_BYTES = 13;

/** The bytes in front of a payload. */
export function recordHeader(payload: Uint8Array, version: PayloadVersion = VERSION): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  MARKER.copy(header);
  header.writeUInt32LE(payload.length, LENGTH_AT);
  header[VERSION_AT] = version;
  header.writeUInt32LE(checksum(header, payload), CHECKSUM_AT);
  return header;
}

function checksum(header: Buffer, payload: Uint8Array): number {
  const ofLength = crc32(header.subarray(LENGTH_AT, CHECKSUM_AT));
  return crc32(payload, crc32(header.subarray(VERSION_AT, HEADER_BYTES), ofLength));
}

/** A part of a journal file, in bytes from its beginning. */
export type JournalRange = { readonly fromByte: number; readonly toByte: number };

/** `payload` shares the memory of the file. */
export type JournalRecord = { readonly payload: Buffer; readonly version: PayloadVersion };

export type JournalContent = {
  /** The intact records, in order. */
  readonly records: readonly JournalRecord[];
  /** Ranges before an intact record that are no records: a disk or a person changed the file. */
  readonly damaged: readonly JournalRange[];
  /** The end of the file behind its last intact record: a write that was not finished, and so not acknowledged. */
  readonly torn: JournalRange | undefined;
};

/** Reads a whole journal file. Never throws: every byte is in a record, in a damaged range or in the torn end. */
export function readRecords(file: Buffer): JournalContent {
  const records: JournalRecord[] = [];
  const damaged: JournalRange[] = [];
  let readTo = 0;
  let at = 0;
  while (at >= 0) {
    const record = recordAt(file, at);
    if (record === undefined) {
      at = file.indexOf(MARKER, at + 1);
      continue;
    }
    if (at > readTo) damaged.push({ fromByte: readTo, toByte: at });
    records.push(record);
    at += HEADER_BYTES + record.payload.length;
    readTo = at;
  }
  return {
    records,
    damaged,
    torn: readTo < file.length ? { fromByte: readTo, toByte: file.length } : undefined,
  };
}

/** The record that begins at this byte; undefined if none does, or if it is not intact. */
function recordAt(file: Buffer, at: number): JournalRecord | undefined {
  if (at + HEADER_BYTES > file.length) return undefined;
  const header = file.subarray(at, at + HEADER_BYTES);
  const version = header[VERSION_AT];
  if (!header.subarray(0, LENGTH_AT).equals(MARKER)) return undefined;
  if (version !== 1 && version !== 2 && version !== VERSION) return undefined;
  const end = at + HEADER_BYTES + header.readUInt32LE(LENGTH_AT);
  if (end > file.length) return undefined;
  const payload = file.subarray(at + HEADER_BYTES, end);
  if (checksum(header, payload) !== header.readUInt32LE(CHECKSUM_AT)) return undefined;
  return { payload, version };
}
