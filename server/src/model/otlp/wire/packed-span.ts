import { areEqual } from '../../bytes.ts';
import { behindContext, type FieldRanges, isContext, joinFields } from './attribute-shape.ts';
import { endOfService } from './stored-span.ts';

/*
 * A stored span without what columns of its row hold. Its bytes are, as all encoders write them:
 *
 *   trace_id span_id [trace_state] [parent_span_id] name kind start_time end_time  and all others
 *   ---------------- ----------------------------- ------------------------------  ----------------
 *   trace_id, id     shape, `body`                 name, kind, start_us, end_us    shape, `body`
 *
 * `body` begins with the nanoseconds that both times have beside the microseconds of their columns. The fields without
 * columns are split, see attribute-shape.ts; in rows of earlier versions all of them are in `body`, and the shape is
 * empty. A span whose bytes cannot be restored from its row is not packed.
 */

/** Bytes of the fields with a tag and, if it varies, a length of one byte. */
const IDS_BYTES = 28;
const TIMES_BYTES = 18;
/** Of both remainders. */
export const NANOS_BYTES = 4;
const TAG = { name: 42, kind: 48, start: 57, end: 65 } as const;
/** Lengths and kinds below it take one byte. */
const ONE_BYTE = 0x80;
/** A longer span gains nothing. Its length takes one or two bytes. */
const MAX_SPAN_BYTES = ONE_BYTE ** 2 - 1;

/** Where the fields are that a row holds in columns. Positions in the bytes that were read. */
export type PackedSpan = FieldRanges & {
  readonly bytes: Uint8Array;
  /** The name follows the context after its tag and its length. */
  readonly nameEnd: number;
  readonly kind: number;
  /** Nanoseconds to add to `start_us` and `end_us`, -500 to 499 for a rounded time. */
  readonly startNs: number;
  readonly endNs: number;
};

/** The columns of the row of a span. */
export type SpanColumns = {
  /** The trace id and the id: 24 bytes at `idsAt`. */
  readonly ids: Uint8Array;
  readonly idsAt: number;
  readonly startUs: number;
  readonly endUs: number;
  /** See `encodeLabels`; the kind begins at `kindAt`. */
  readonly labels: Uint8Array;
  readonly kindAt: number;
};

/** The fields of the span from `start` to `end`; undefined if the columns of its row do not restore its bytes. */
export function packedSpan(
  bytes: Uint8Array,
  start: number,
  end: number,
  { ids, idsAt, startUs, endUs, labels, kindAt }: SpanColumns,
): PackedSpan | undefined {
  if (end - start > MAX_SPAN_BYTES || end - start < IDS_BYTES + TIMES_BYTES) return undefined;
  if (bytes[start] !== 10 || bytes[start + 1] !== 16 || bytes[start + 18] !== 18 || bytes[start + 19] !== 8) {
    return undefined;
  }
  if (!areEqual(bytes, start + 2, ids, idsAt, 16) || !areEqual(bytes, start + 20, ids, idsAt + 16, 8)) return undefined;
  const nameAt = behindContext(bytes, start + IDS_BYTES);
  const nameBytes = bytes[nameAt + 1] as number;
  const nameStart = nameAt + 2;
  const nameEnd = nameStart + nameBytes;
  const kind = bytes[nameEnd + 1] as number;
  const timesAt = nameEnd + 2;
  const restStart = timesAt + TIMES_BYTES;
  if (restStart > end || nameBytes >= ONE_BYTE || kind >= ONE_BYTE || kind === 0) return undefined;
  if (bytes[nameAt] !== TAG.name || bytes[nameEnd] !== TAG.kind) return undefined;
  if (bytes[timesAt] !== TAG.start || bytes[timesAt + 9] !== TAG.end) return undefined;
  // The rest follows the context when both are joined, and must not continue it.
  if (isContext(bytes[restStart]) && restStart < end) return undefined;
  // The labels have the last name and kind, if a span has several.
  if (labels.length !== kindAt + 4 + nameBytes || labels[kindAt + 1] !== kind) return undefined;
  if (!areEqual(bytes, nameStart, labels, kindAt + 4, nameBytes)) return undefined;
  const startNs = nanosBeside(bytes, timesAt + 1, startUs);
  const endNs = nanosBeside(bytes, timesAt + 10, endUs);
  if (!isInt16(startNs) || !isInt16(endNs)) return undefined;
  return { bytes, contextStart: start + IDS_BYTES, contextEnd: nameAt, nameEnd, kind, restStart, end, startNs, endNs };
}

const WORD = 0x1_0000_0000;
const isInt16 = (value: number): boolean => Number.isInteger(value) && value >= -0x8000 && value <= 0x7fff;

/** The difference of a fixed64 of nanoseconds and the microseconds, exact where it is small. */
function nanosBeside(bytes: Uint8Array, at: number, us: number): number {
  const { low, high } = nanosOf(us);
  return (readWord(bytes, at + 4) - high) * WORD + (readWord(bytes, at) - low);
}

/** In two words, since a double does not hold all digits. */
function nanosOf(us: number): { readonly low: number; readonly high: number } {
  const ofLow = (us % WORD) * 1000;
  return { low: ofLow % WORD, high: Math.floor(us / WORD) * 1000 + Math.floor(ofLow / WORD) };
}

function readWord(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return a + b * 0x100 + c * 0x1_0000 + d * 0x100_0000;
}

/** The columns of a packed span. Bytes are strings with one Latin-1 character each. */
export type PackedSpanRow = {
  /** 32 and 16 hex digits. */
  readonly traceId: string;
  readonly id: string;
  readonly startUs: number;
  readonly endUs: number;
  /** The label of the service, then the fields that the spans of a scope share. */
  readonly shared: string;
  readonly name: string;
  readonly kind: number;
  readonly shape: string;
  readonly body: string;
};

/** The stored span, as it was before it was packed. */
export function unpackSpan({ traceId, id, startUs, endUs, shared, name, kind, shape, body }: PackedSpanRow): string {
  const bytes = Buffer.from(body, 'latin1');
  const fields = joinFields(shape, bytes.subarray(NANOS_BYTES));
  const restStart = behindContext(fields, 0);
  const nameText = Buffer.from(name, 'utf8').toString('latin1');
  const nameField = String.fromCharCode(nameText.length) + nameText;
  const start = fixed64(startUs, bytes.readInt16LE(0));
  const end = fixed64(endUs, bytes.readInt16LE(2));
  const span = [
    `\n\x10${latin1OfHex(traceId)}\x12\x08${latin1OfHex(id)}${fields.toString('latin1', 0, restStart)}`,
    `*${nameField}0${String.fromCharCode(kind)}9${start}A${end}${fields.toString('latin1', restStart)}`,
  ].join('');
  const serviceEnd = endOfService(shared);
  const labels = `${shared.slice(0, serviceEnd)}\x10${String.fromCharCode(kind)}\x1a${nameField}`;
  return `${labels}${shared.slice(serviceEnd)}:${varint(span.length)}${span}`;
}

const latin1OfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');

function fixed64(us: number, ns: number): string {
  const { low, high } = nanosOf(us);
  const bytes = Buffer.allocUnsafe(8);
  const sum = low + ns;
  bytes.writeUInt32LE(((sum % WORD) + WORD) % WORD, 0);
  bytes.writeUInt32LE(high + Math.floor(sum / WORD), 4);
  return bytes.toString('latin1');
}

function varint(value: number): string {
  return value < ONE_BYTE
    ? String.fromCharCode(value)
    : String.fromCharCode((value % ONE_BYTE) + ONE_BYTE, Math.floor(value / ONE_BYTE));
}
