import { canonicalText, ExactNumber } from '../model/exact-number.ts';
import { plainOf } from '../model/otlp/any-value.ts';
import { type BoundedReader, readFieldEnd } from '../model/otlp/wire/bounded-reader.ts';
import { readKeyValue } from '../model/otlp/wire/decode-values.ts';
import type { AnyValue } from '../model/otlp-messages.ts';
import { MAX_TEXT_LENGTH } from '../store/attributes.ts';
import { createRowBuffer, type RowBuffer, writeLength, writeRange } from '../store/row-binary.ts';
import { writeAttributeText } from '../store/write/rows.ts';

/** A key of an attribute, and what the rows of its span need to know of it. */
type Key = {
  readonly name: string;
  /** Path of the attribute in metadata, and the beginning of its indexed string, in UTF-8. */
  readonly path: string;
  readonly prefix: Uint8Array;
  /** Whether a rule of the translation may read it. */
  readonly isRead: boolean;
  /** Spans with this key take the way over objects. */
  readonly isRare: boolean;
  readonly family: 'http' | 'db' | 'rpc' | undefined;
  /** The last span that had this key, by its number. */
  seenIn: number;
};

/** An attribute of a span. Objects are used again for the next span, except those of the cache. */
export type SpanAttribute = {
  key: Key;
  /** Undefined for a text that no rule reads: then it is only a range of the request. */
  value: AnyValue | undefined;
  /** Where `cacheBytes` has the indexed string with its length, empty for a value that has none; -1 if it is not cached. */
  encodedStart: number;
  encodedEnd: number;
  textStart: number;
  textEnd: number;
  isAscii: boolean;
  /** The last run of rows that has the indexed string, if it is cached: see store/write/shared-texts.ts. */
  writtenIn: number;
};

/** Attributes that many spans share, by their bytes: the same bytes give the same object, without parsing them again. */
const CACHE_SIZE = 8192;
const MAX_CACHED_BYTES = 192;
const HASHED_BYTES = 20;
const cache: (SpanAttribute | undefined)[] = new Array(CACHE_SIZE).fill(undefined);
/**
 * Bytes of all cached attributes: those of the request, then the indexed string. In one buffer and not in an array for each,
 * since most of the time goes into waiting for memory.
 */
const SLOT_BYTES = 512;
const cacheBytes = new Uint8Array(CACHE_SIZE * SLOT_BYTES);
/** Length of the attribute of each slot; 0 for none. */
const cachedLengths = new Uint8Array(CACHE_SIZE);
/** Hash of the last attribute of each slot. One is cached when it comes twice in a row, so that ids evict nothing. */
const lastHashes = new Int32Array(CACHE_SIZE);

/**
 * Reads an attribute with its length prefix, into `target` if it is not cached. Undefined for a nested value. The result is
 * valid until an attribute of another span is read.
 */
export function readSpanAttribute(
  reader: BoundedReader,
  target: SpanAttribute,
  spanNumber: number,
): SpanAttribute | undefined {
  const end = readFieldEnd(reader);
  const { buf, pos: start } = reader;
  const length = end - start;
  // The end has the value, where most attributes of one length differ.
  let hash = length;
  for (let at = Math.max(start, end - HASHED_BYTES); at < end; at++) {
    hash = (Math.imul(hash, 31) + (buf[at] as number)) | 0;
  }
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SIZE - 1);
  if (length === cachedLengths[slot] && isCachedAt(slot * SLOT_BYTES, buf, start, end)) {
    reader.pos = end;
    return cache[slot];
  }
  if (!parseAttribute(reader, end, target)) return undefined;
  // The bytes of an attribute that the same span has must stay.
  const isFree = cache[slot]?.key.seenIn !== spanNumber;
  if (isFree && lastHashes[slot] === hash && length > 0 && length <= MAX_CACHED_BYTES) {
    addToCache(slot, target, buf, start, end);
  }
  lastHashes[slot] = hash;
  return target;
}

function addToCache(slot: number, attribute: SpanAttribute, buf: Uint8Array, start: number, end: number): void {
  const { key, textStart, textEnd } = attribute;
  const row = createRowBuffer(SLOT_BYTES);
  writeSpanAttribute(row, attribute, buf);
  const at = slot * SLOT_BYTES;
  const encodedStart = at + end - start;
  if (encodedStart + row.length > at + SLOT_BYTES) return;
  cacheBytes.set(buf.subarray(start, end), at);
  cacheBytes.set(row.bytes.subarray(0, row.length), encodedStart);
  cachedLengths[slot] = end - start;
  const value = attribute.value ?? { stringValue: (buf as Buffer).toString('utf8', textStart, textEnd) };
  cache[slot] = Object.assign(newSpanAttribute(), { key, value, encodedStart, encodedEnd: encodedStart + row.length });
}

export function newSpanAttribute(): SpanAttribute {
  return {
    key: NO_KEY,
    value: undefined,
    encodedStart: -1,
    encodedEnd: -1,
    textStart: 0,
    textEnd: 0,
    isAscii: true,
    writtenIn: 0,
  };
}

function isAscii(buf: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= buf[at] as number;
  return bits < 0x80;
}

/** Whether the cache has these bytes at `cachedStart`. */
function isCachedAt(cachedStart: number, buf: Uint8Array, start: number, end: number): boolean {
  for (let at = start, cachedAt = cachedStart; at < end; at++, cachedAt++) {
    if (buf[at] !== cacheBytes[cachedAt]) return false;
  }
  return true;
}

const TAG = { key: 10, value: 18, stringValue: 10 } as const;

/** Most attributes are a key and a text. */
function parseAttribute(reader: BoundedReader, end: number, target: SpanAttribute): boolean {
  const { buf, pos: start } = reader;
  target.value = undefined;
  if (buf[start] === TAG.key && end - start < 0x4000) {
    const keyStart = start + 2;
    const keyEnd = keyStart + (buf[start + 1] as number);
    // Lengths below 128 are one byte. A value of up to 124 bytes is, with its own tag and length.
    const textLength = end - keyEnd - 4;
    if (
      keyEnd - keyStart < 0x80 &&
      textLength >= 0 &&
      textLength < 0x7e &&
      buf[keyEnd] === TAG.value &&
      buf[keyEnd + 1] === textLength + 2 &&
      buf[keyEnd + 2] === TAG.stringValue &&
      buf[keyEnd + 3] === textLength
    ) {
      target.key = keyAt(buf as Buffer, keyStart, keyEnd);
      target.textStart = keyEnd + 4;
      target.textEnd = end;
      target.isAscii = isAscii(buf, target.textStart, end);
      reader.pos = end;
      if (target.key.isRead) target.value = { stringValue: (buf as Buffer).toString('utf8', keyEnd + 4, end) };
      return true;
    }
  }
  const { key = '', value = {} } = readKeyValue(reader, end, 0);
  if (value.arrayValue !== undefined || value.kvlistValue !== undefined) return false;
  target.key = keyOf(key);
  target.value = value;
  return true;
}

/** Writes the indexed string; nothing for the empty value. */
export function writeSpanAttribute(target: RowBuffer, attribute: SpanAttribute, request: Uint8Array): void {
  const { key, value, encodedStart, encodedEnd, textStart, textEnd, isAscii } = attribute;
  if (encodedStart >= 0) {
    writeRange(target, cacheBytes, encodedStart, encodedEnd);
  } else if (value === undefined && isAscii && key.prefix.length + textEnd - textStart <= MAX_TEXT_LENGTH) {
    writeLength(target, key.prefix.length + textEnd - textStart);
    writeRange(target, key.prefix, 0, key.prefix.length);
    writeRange(target, request, textStart, textEnd);
  } else {
    const text = value === undefined ? (request as Buffer).toString('utf8', textStart, textEnd) : textOf(value);
    if (text !== undefined) writeAttributeText(target, key.path, text);
  }
}

/** Whether the attribute has an indexed string. */
export function isIndexed({ value, encodedStart, encodedEnd }: SpanAttribute): boolean {
  return encodedStart >= 0 ? encodedEnd > encodedStart : value === undefined || textOf(value) !== undefined;
}

function textOf(value: AnyValue): string | undefined {
  const plain = plainOf(value);
  if (plain === null) return undefined;
  return plain instanceof ExactNumber ? canonicalText(plain) : String(plain);
}

/** By their bytes, one Latin-1 character each. */
const keys = new Map<string, Key>();
const MAX_KEYS = 20_000;

function keyAt(bytes: Buffer, start: number, end: number): Key {
  const text = bytes.toString('latin1', start, end);
  const known = keys.get(text);
  if (known !== undefined) return known;
  return addKey(text, bytes.toString('utf8', start, end));
}

function keyOf(name: string): Key {
  const text = Buffer.from(name).toString('latin1');
  return keys.get(text) ?? addKey(text, name);
}

function addKey(text: string, name: string): Key {
  const path = `metadata.default.${name}`;
  const [first = ''] = name.split('.', 1);
  const key: Key = {
    name,
    path,
    prefix: Buffer.from(`${path}=`),
    isRead: READ_FAMILIES.has(first),
    isRare: RARE_FAMILIES.has(first) || /^\d*$|^__proto__$|^otel\.resource\.|\ufffd/.test(name),
    family: name.startsWith('http.') || name.startsWith('url.') ? 'http' : familyOf(name),
    seenIn: 0,
  };
  if (keys.size >= MAX_KEYS) {
    keys.clear();
    // Cached attributes have their own keys, and a name may have only one.
    cachedLengths.fill(0);
  }
  keys.set(text, key);
  return key;
}

function familyOf(name: string): 'db' | 'rpc' | undefined {
  if (name.startsWith('db.')) return 'db';
  return name.startsWith('rpc.') ? 'rpc' : undefined;
}

/** First parts of the keys that rules of `model/otlp/to-xray/` read: all other attributes are metadata. */
const READ_FAMILIES: ReadonlySet<string> = new Set(
  'client db enduser error host http messaging net network peer rpc server service url user user_agent'.split(' '),
);

/** Attributes that change more than the rules for common spans say: AWS's, Lambda's, and those that openray adds. */
const RARE_FAMILIES: ReadonlySet<string> = new Set(['aws', 'faas', 'openray', 'cloud']);

const NO_KEY = keyOf('');
