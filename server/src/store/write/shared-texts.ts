import { LINK_PREFIX, SHARED_ARRIVAL_US, SHARED_START_US } from '../attributes.ts';
import { type RowBuffer, readUInt64, writeLength } from '../row-binary.ts';

/*
 * Spans of a trace share most of their attributes. A string of `attributes` finds a trace, not a row: so a row leaves out
 * the strings that an earlier row of its trace has, if both are stored together. Links stay, since they are read with
 * the row.
 *
 * "Together" means: in one `append`, on one day of arrival and within SHARED_ARRIVAL_US, so that retention keeps the
 * earlier row as long as the other one; and the earlier row starts at most SHARED_START_US later, so that a window of a
 * list covers both.
 */

const DAY_US = 86_400_000_000;
/** Position of the start in a row of `entities`: behind the ids, `seq` and four flags. */
const START_AT = 52;
const TRACE_ID_BYTES = 16;
/** The end of a text has the value, where most texts of one length differ. */
const HASHED_BYTES = 20;
/** Memory for about so many texts is kept for the next rows. */
const MAX_KEPT_TEXTS = 65_536;
const FIRST_SLOTS = 1_024;

/** The strings of rows in one buffer. Positions stay valid while rows are added. */
export type SharedTexts = {
  /** The first number of arrival of the documents, once it is known. */
  firstSeq: number | undefined;
  /** Of each text: its hash, where its row begins, and where its length and then its bytes are. */
  readonly hashes: number[];
  readonly rows: number[];
  readonly positions: number[];
  /** Open addressing: 1 + index of a text, 0 for a free slot. The size is a power of two. */
  slots: Int32Array;
};

export function newSharedTexts(): SharedTexts {
  return { firstSeq: undefined, hashes: [], rows: [], positions: [], slots: new Int32Array(FIRST_SLOTS) };
}

/** Call it before the rows of other documents are written, and when the buffer is emptied. */
export function forgetTexts(texts: SharedTexts): void {
  texts.firstSeq = undefined;
  if (texts.hashes.length === 0) return;
  for (const list of [texts.hashes, texts.rows, texts.positions]) list.length = 0;
  if (texts.slots.length > MAX_KEPT_TEXTS) texts.slots = new Int32Array(FIRST_SLOTS);
  else texts.slots.fill(0);
}

/** Forgets the texts if the next document does not arrive together with the others. */
export function continueTexts(texts: SharedTexts, seq: number): void {
  const { firstSeq } = texts;
  const isTogether =
    firstSeq === undefined ||
    (Math.abs(seq - firstSeq) <= SHARED_ARRIVAL_US / 2 && Math.floor(seq / DAY_US) === Math.floor(firstSeq / DAY_US));
  if (!isTogether) forgetTexts(texts);
  texts.firstSeq ??= seq;
}

/** The list that is being looked through: each text to write, with its end, and its hash or LINK. */
const kept = { starts: [] as number[], ends: [] as number[], hashes: [] as number[] };
const LINK = -1;

/**
 * Removes the shared strings from `attributes`, the list at the end of the row. The row begins at `rowAt`, and the list
 * with its count at `listAt`.
 */
export function dropSharedTexts(texts: SharedTexts, row: RowBuffer, rowAt: number, listAt: number): void {
  const { bytes } = row;
  const ofTrace = bytes.readInt32LE(rowAt + 8) ^ bytes.readInt32LE(rowAt + 12);
  kept.starts.length = 0;
  kept.ends.length = 0;
  kept.hashes.length = 0;
  let at = behindLength(bytes, listAt);
  let count = 0;
  while (at < row.length) {
    const start = behindLength(bytes, at);
    const end = start + lengthAt(bytes, at);
    const hash = isLink(bytes, start, end) ? LINK : hashOf(bytes, start, end, ofTrace);
    if (hash === LINK || !isShared(texts, bytes, rowAt, { hash, at, end })) {
      kept.starts.push(at);
      kept.ends.push(end);
      kept.hashes.push(hash);
    }
    count++;
    at = end;
  }
  const isShorter = kept.starts.length < count;
  if (isShorter) {
    row.length = listAt;
    writeLength(row, kept.starts.length);
  } else row.length = behindLength(bytes, listAt);
  for (let index = 0; index < kept.starts.length; index++) {
    const start = kept.starts[index] as number;
    const end = kept.ends[index] as number;
    const hash = kept.hashes[index] as number;
    if (hash !== LINK) addText(texts, hash, rowAt, row.length);
    if (start > row.length) moveDown(bytes, row.length, start, end);
    row.length += end - start;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let index = at, scale = 1; ; index++, scale *= 0x80) {
    const group = bytes[index] as number;
    length += (group & 0x7f) * scale;
    if (group < 0x80) return length;
  }
}

function behindLength(bytes: Uint8Array, at: number): number {
  let end = at;
  while ((bytes[end] as number) >= 0x80) end++;
  return end + 1;
}

const LINK_BYTES = Buffer.from(LINK_PREFIX);

function isLink(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < LINK_BYTES.length) return false;
  return areEqual(bytes, start, LINK_BYTES, 0, LINK_BYTES.length);
}

/** Not negative. */
function hashOf(bytes: Uint8Array, start: number, end: number, ofTrace: number): number {
  let hash = ofTrace ^ (end - start);
  for (let at = Math.max(start, end - HASHED_BYTES); at < end; at++) {
    hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (hash ^ (hash >>> 12)) & 0x7fff_ffff;
}

type Text = { readonly hash: number; readonly at: number; readonly end: number };

/** Whether an earlier row of the trace has the text, and starts at most SHARED_START_US after this one. */
function isShared({ slots, hashes, rows, positions }: SharedTexts, bytes: Buffer, rowAt: number, text: Text): boolean {
  const mask = slots.length - 1;
  for (let slot = text.hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const index = (slots[slot] as number) - 1;
    const otherRow = rows[index] as number;
    if (hashes[index] !== text.hash || otherRow === rowAt) continue;
    if (
      areEqual(bytes, positions[index] as number, bytes, text.at, text.end - text.at) &&
      areEqual(bytes, otherRow, bytes, rowAt, TRACE_ID_BYTES) &&
      readUInt64(bytes, otherRow + START_AT) - readUInt64(bytes, rowAt + START_AT) <= SHARED_START_US
    ) {
      return true;
    }
  }
  return false;
}

function areEqual(a: Uint8Array, atA: number, b: Uint8Array, atB: number, count: number): boolean {
  for (let index = 0; index < count; index++) if (a[atA + index] !== b[atB + index]) return false;
  return true;
}

function addText(texts: SharedTexts, hash: number, rowAt: number, position: number): void {
  texts.hashes.push(hash);
  texts.rows.push(rowAt);
  texts.positions.push(position);
  if (texts.hashes.length * 2 > texts.slots.length) {
    texts.slots = new Int32Array(texts.slots.length * 2);
    for (let index = 0; index < texts.hashes.length; index++) addToSlots(texts, index);
  } else addToSlots(texts, texts.hashes.length - 1);
}

function addToSlots({ slots, hashes }: SharedTexts, index: number): void {
  const mask = slots.length - 1;
  let slot = (hashes[index] as number) & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = index + 1;
}

function moveDown(bytes: Uint8Array, to: number, start: number, end: number): void {
  for (let from = start; from < end; from++) bytes[to + from - start] = bytes[from] as number;
}
