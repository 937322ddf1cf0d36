import { areEqual } from '../../model/bytes.ts';
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
const HASHED_BYTES = 8;
/** Memory for so many texts is kept for the next rows. */
const MAX_KEPT_TEXTS = 32_768;
const FIRST_TEXTS = 512;

/** The strings of rows in one buffer. Positions stay valid while rows are added. */
export type SharedTexts = {
  /** The first number of arrival of the documents, once it is known. */
  firstSeq: number | undefined;
  count: number;
  /** Four numbers a text: its hash, where its row begins, where it begins with its length, and where it ends. */
  texts: Int32Array<ArrayBuffer>;
  /** Open addressing: 1 + index of a text, 0 for a free slot. Twice as many as there may be texts, a power of two. */
  slots: Int32Array<ArrayBuffer>;
  /** Rows of one trace that follow each other, by a number that no other run has. */
  run: number;
  /** Where the last row of the run begins; -1 for none. */
  runRowAt: number;
  /** The latest start of a row in a run. */
  maxStartUs: number;
};

const [ROW, START, END, FIELDS] = [1, 2, 3, 4];

export function newSharedTexts(): SharedTexts {
  return { firstSeq: undefined, count: 0, ...newTables(FIRST_TEXTS), run: 0, runRowAt: -1, maxStartUs: 0 };
}

const newTables = (maxTexts: number) => ({
  texts: new Int32Array(maxTexts * FIELDS),
  slots: new Int32Array(maxTexts * 2),
});

/** Call it before the rows of other documents are written, and when the buffer is emptied. */
export function evictTexts(shared: SharedTexts): void {
  shared.firstSeq = undefined;
  shared.runRowAt = -1;
  shared.maxStartUs = 0;
  if (shared.count === 0) return;
  shared.count = 0;
  if (shared.slots.length > MAX_KEPT_TEXTS * 2) Object.assign(shared, newTables(FIRST_TEXTS));
  else shared.slots.fill(0);
}

/** Evicts the texts if the next document does not arrive together with the others. */
export function continueTexts(shared: SharedTexts, seq: number): void {
  const { firstSeq } = shared;
  const isTogether =
    firstSeq === undefined ||
    (Math.abs(seq - firstSeq) <= SHARED_ARRIVAL_US / 2 && Math.floor(seq / DAY_US) === Math.floor(firstSeq / DAY_US));
  if (!isTogether) evictTexts(shared);
  shared.firstSeq ??= seq;
}

let lastRun = 0;

/**
 * The number of the run of the row, which has its ids and is the next one. A text that was written or left out for this
 * number may be left out again without a look-up. 0 if that depends on the start of the row.
 */
export function runOf(shared: SharedTexts, { bytes }: RowBuffer, rowAt: number, startUs: number): number {
  const { runRowAt } = shared;
  if (runRowAt < 0 || !areEqual(bytes, runRowAt, bytes, rowAt, TRACE_ID_BYTES)) shared.run = ++lastRun;
  shared.runRowAt = rowAt;
  shared.maxStartUs = Math.max(shared.maxStartUs, startUs);
  return shared.maxStartUs - startUs <= SHARED_START_US ? shared.run : 0;
}

/** Texts of the list that is being looked through: of each, as `SharedTexts` has it. */
let kept = new Int32Array(256 * FIELDS);
const LINK = -1;

/**
 * Removes the shared strings from `attributes`, the list at the end of the row. The row begins at `rowAt`, and the list
 * with its count at `listAt`.
 */
export function dropSharedTexts(shared: SharedTexts, row: RowBuffer, rowAt: number, listAt: number): void {
  const { bytes, length } = row;
  const ofTrace = bytes.readInt32LE(rowAt + 8) ^ bytes.readInt32LE(rowAt + 12);
  const firstAt = behindLength(bytes, listAt);
  let keptEnd = 0;
  let isShorter = false;
  for (let at = firstAt; at < length; ) {
    const first = bytes[at] as number;
    const start = first < 0x80 ? at + 1 : behindLength(bytes, at);
    const end = start + (first < 0x80 ? first : longLength(bytes, at));
    const isOfRow = bytes[start] === LINK_BYTES[0] && isLink(bytes, start, end);
    const hash = isOfRow ? LINK : hashOf(bytes, start, end, ofTrace);
    if (hash !== LINK && isShared(shared, bytes, rowAt, hash, at, end)) isShorter = true;
    else {
      if (keptEnd === kept.length) kept = grown(kept);
      kept[keptEnd] = hash;
      kept[keptEnd + START] = at;
      kept[keptEnd + END] = end;
      keptEnd += FIELDS;
    }
    at = end;
  }
  if (isShorter) {
    row.length = listAt;
    writeLength(row, keptEnd / FIELDS);
  } else row.length = firstAt;
  for (let entry = 0; entry < keptEnd; entry += FIELDS) {
    const start = kept[entry + START] as number;
    const end = kept[entry + END] as number;
    const hash = kept[entry] as number;
    const to = row.length;
    if (start > to) for (let from = start; from < end; from++) bytes[to + from - start] = bytes[from] as number;
    row.length += end - start;
    if (hash !== LINK) addText(shared, hash, rowAt, to, row.length);
  }
}

function longLength(bytes: Uint8Array, at: number): number {
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
  return end - start >= LINK_BYTES.length && areEqual(bytes, start, LINK_BYTES, 0, LINK_BYTES.length);
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

/** Whether an earlier row of the trace has the text, and starts at most SHARED_START_US after this one. */
function isShared(
  { slots, texts }: SharedTexts,
  bytes: Buffer,
  rowAt: number,
  hash: number,
  at: number,
  end: number,
): boolean {
  const mask = slots.length - 1;
  for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const entry = ((slots[slot] as number) - 1) * FIELDS;
    if (texts[entry] !== hash) continue;
    const otherRow = texts[entry + ROW] as number;
    const start = texts[entry + START] as number;
    if (
      otherRow !== rowAt &&
      (texts[entry + END] as number) - start === end - at &&
      areEqual(bytes, start, bytes, at, end - at) &&
      areEqual(bytes, otherRow, bytes, rowAt, TRACE_ID_BYTES) &&
      readUInt64(bytes, otherRow + START_AT) - readUInt64(bytes, rowAt + START_AT) <= SHARED_START_US
    ) {
      return true;
    }
  }
  return false;
}

function addText(shared: SharedTexts, hash: number, rowAt: number, start: number, end: number): void {
  const index = shared.count++;
  const entry = index * FIELDS;
  if (entry === shared.texts.length) {
    shared.texts = grown(shared.texts);
    shared.slots = new Int32Array(shared.slots.length * 2);
    for (let other = 0; other < index; other++) addToSlots(shared.slots, shared.texts[other * FIELDS] as number, other);
  }
  shared.texts[entry] = hash;
  shared.texts[entry + ROW] = rowAt;
  shared.texts[entry + START] = start;
  shared.texts[entry + END] = end;
  addToSlots(shared.slots, hash, index);
}

function addToSlots(slots: Int32Array, hash: number, index: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = index + 1;
}

function grown(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
