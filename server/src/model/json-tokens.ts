import { isDouble } from './exact-number.ts';
import { readTimeUs } from './time.ts';

/*
 * JSON as a list of tokens, without an object of it: for documents of which each value is read once. `JSON.parse` decides
 * about every text that is refused here, so this reads common texts only and never says why it stops.
 */

/** Kinds of tokens. A member of an object is a TEXT, its name, and the token of its value. */
export const OBJECT = 1;
export const ARRAY = 2;
/** The bytes are those of the value. */
export const TEXT = 3;
/** Use `textAt`. */
export const ESCAPED_TEXT = 4;
/** As `String` prints it. */
export const NUMBER = 5;
/** Written in another way, or with more digits. */
export const OTHER_NUMBER = 6;
export const TRUE = 7;
export const FALSE = 8;
export const NULL = 9;

/** X-Ray's limit of a document; larger ones are left to `JSON.parse`. */
const MAX_BYTES = 64 * 1024;
const MAX_TOKENS = 16 * 1024;
const MAX_DEPTH = 32;
/** A text of other characters than those of ASCII takes more bytes than it has characters, within this room. */
const SPARE_BYTES = 4;

/** Tokens of the last text, in its order. Lists are used again; `starts` and `ends` are bytes, without the quotes of a text. */
export type JsonTokens = {
  text: string;
  readonly bytes: Buffer;
  readonly kinds: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** The token behind a value and all that is in it. */
  readonly nexts: Int32Array;
  /** There is white space between tokens. */
  hasSpace: boolean;
};

export function newJsonTokens(): JsonTokens {
  const list = () => new Int32Array(MAX_TOKENS);
  return {
    text: '',
    bytes: Buffer.alloc(MAX_BYTES + SPARE_BYTES),
    kinds: new Uint8Array(MAX_TOKENS),
    starts: list(),
    ends: list(),
    nexts: list(),
    hasSpace: false,
  };
}

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const THREE = 51;
const NINE = 57;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const LOWER_E = 101;
const LOWER_F = 102;
const LOWER_N = 110;
const LOWER_T = 116;
const LOWER_U = 117;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const SPACE = 32;

/**
 * Reads a text of ASCII characters, the first token is its value. False for a text that is not JSON, and for a rare one:
 * long or deep, with other characters, escapes in names, or numbers that a double cannot hold.
 */
export function readTokens(tokens: JsonTokens, text: string): boolean {
  const { bytes, kinds, starts, ends, nexts } = tokens;
  const { length } = text;
  if (length > MAX_BYTES || bytes.write(text) !== length) return false;
  // Ends every loop.
  bytes[length] = 0;
  tokens.text = text;
  let hasSpace = false;
  let at = 0;
  let count = 0;
  let depth = 0;
  /** The token of the innermost object or array; those around it are linked by `nexts`. */
  let container = -1;
  for (;;) {
    // A value.
    if (count + 2 > MAX_TOKENS) return false;
    let code = bytes[at] as number;
    while (code <= SPACE) {
      if (!isSpace(code)) return false;
      hasSpace = true;
      code = bytes[++at] as number;
    }
    let isOpen = false;
    starts[count] = at;
    switch (code) {
      case QUOTE: {
        const start = ++at;
        at = endOfPlainText(bytes, at);
        kinds[count] = TEXT;
        if (bytes[at] === BACKSLASH) {
          at = endOfEscapedText(bytes, at);
          kinds[count] = ESCAPED_TEXT;
        }
        if (bytes[at] !== QUOTE) return false;
        starts[count] = start;
        ends[count] = at++;
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > MAX_DEPTH) return false;
        kinds[count] = code === OPEN_BRACE ? OBJECT : ARRAY;
        nexts[count] = container;
        container = count;
        isOpen = true;
        at++;
        break;
      case LOWER_T:
        if (bytes[at + 1] !== 114 || bytes[at + 2] !== LOWER_U || bytes[at + 3] !== LOWER_E) return false;
        kinds[count] = TRUE;
        at += 4;
        ends[count] = at;
        break;
      case LOWER_F:
        if (bytes[at + 1] !== 97 || bytes[at + 2] !== 108 || bytes[at + 3] !== 115 || bytes[at + 4] !== LOWER_E) {
          return false;
        }
        kinds[count] = FALSE;
        at += 5;
        ends[count] = at;
        break;
      case LOWER_N:
        if (bytes[at + 1] !== LOWER_U || bytes[at + 2] !== 108 || bytes[at + 3] !== 108) return false;
        kinds[count] = NULL;
        at += 4;
        ends[count] = at;
        break;
      default: {
        const end = endOfNumber(bytes, at);
        kinds[count] = end > 0 ? NUMBER : OTHER_NUMBER;
        ends[count] = Math.abs(end);
        if (end <= 0 && (end === 0 || !isDouble(text.slice(at, -end)))) return false;
        at = ends[count] as number;
      }
    }
    if (!isOpen) nexts[count] = count + 1;
    count++;
    // What follows it, to the next value.
    for (;;) {
      code = bytes[at] as number;
      while (code <= SPACE && at < length) {
        if (!isSpace(code)) return false;
        hasSpace = true;
        code = bytes[++at] as number;
      }
      if (container < 0) {
        tokens.hasSpace = hasSpace;
        return at === length;
      }
      const isObject = kinds[container] === OBJECT;
      if (code === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        at++;
        ends[container] = at;
        const around = nexts[container] as number;
        nexts[container] = count;
        container = around;
        depth--;
        isOpen = false;
        continue;
      }
      if (!isOpen) {
        if (code !== COMMA) return false;
        code = bytes[++at] as number;
        if (!isObject) break;
        while (code <= SPACE) {
          if (!isSpace(code)) return false;
          hasSpace = true;
          code = bytes[++at] as number;
        }
      } else if (!isObject) break;
      // The name of a member.
      if (code !== QUOTE) return false;
      starts[count] = ++at;
      at = endOfPlainText(bytes, at);
      if (bytes[at] !== QUOTE) return false;
      kinds[count] = TEXT;
      ends[count] = at++;
      count++;
      nexts[count - 1] = count;
      code = bytes[at] as number;
      while (code <= SPACE) {
        if (!isSpace(code)) return false;
        hasSpace = true;
        code = bytes[++at] as number;
      }
      if (code !== COLON) return false;
      at++;
      break;
    }
  }
}

/** The value of a TEXT or an ESCAPED_TEXT. */
export function textAt({ text, kinds, starts, ends }: JsonTokens, token: number): string {
  const start = starts[token] as number;
  const end = ends[token] as number;
  return kinds[token] === TEXT ? text.slice(start, end) : JSON.parse(text.slice(start - 1, end + 1));
}

/**
 * The same for texts of which there are few: the same bytes give the same string, which keeps no other text alive. So
 * objects that hold them take less memory, and maps find them faster.
 */
export function sharedTextAt(tokens: JsonTokens, token: number): string {
  const { bytes, kinds, starts, ends } = tokens;
  const start = starts[token] as number;
  const length = (ends[token] as number) - start;
  if (kinds[token] !== TEXT || length > MAX_SHARED_LENGTH) return ownTextAt(tokens, token);
  let hash = length;
  for (let at = start; at < start + length; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SHARED_TEXTS - 1);
  if (sharedLengths[slot] === length && isSharedAt(slot * MAX_SHARED_LENGTH, bytes, start, length)) {
    return sharedTexts[slot] as string;
  }
  // One is shared when it comes twice in a row, so that ids evict nothing.
  if (lastHashes[slot] !== hash) {
    lastHashes[slot] = hash;
    return ownTextAt(tokens, token);
  }
  const text = bytes.toString('latin1', start, start + length);
  sharedTexts[slot] = text;
  sharedLengths[slot] = length;
  for (let at = 0; at < length; at++) sharedBytes[slot * MAX_SHARED_LENGTH + at] = bytes[start + at] as number;
  return text;
}

/** A slice of a text would keep all of it alive. */
function ownTextAt(tokens: JsonTokens, token: number): string {
  const { bytes, kinds, starts, ends } = tokens;
  return kinds[token] === TEXT ? bytes.toString('latin1', starts[token], ends[token]) : textAt(tokens, token);
}

const SHARED_TEXTS = 4096;
/** Longer ones are not shared. */
export const MAX_SHARED_LENGTH = 32;
const sharedTexts: string[] = new Array(SHARED_TEXTS).fill('');
const sharedLengths = new Uint8Array(SHARED_TEXTS);
const sharedBytes = new Uint8Array(SHARED_TEXTS * MAX_SHARED_LENGTH);
const lastHashes = new Int32Array(SHARED_TEXTS);

function isSharedAt(slotStart: number, bytes: Uint8Array, start: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (sharedBytes[slotStart + at] !== bytes[start + at]) return false;
  return true;
}

/** A number of seconds as microseconds, as `readTimeUs` reads it. */
export function timeUsAt(tokens: JsonTokens, token: number): number | undefined {
  const { bytes, kinds, starts, ends } = tokens;
  const end = ends[token] as number;
  let at = starts[token] as number;
  let seconds = 0;
  for (; at < end && bytes[at] !== DOT; at++) seconds = seconds * 10 + ((bytes[at] as number) - ZERO);
  const decimals = Math.max(0, end - at - 1);
  // Up to here its double gives the same whole microseconds.
  if (
    kinds[token] !== NUMBER ||
    bytes[starts[token] as number] === MINUS ||
    decimals > 6 ||
    seconds >= MAX_EXACT_SECONDS
  ) {
    return readTimeUs(numberAt(tokens, token));
  }
  let us = 0;
  for (at++; at < end; at++) us = us * 10 + ((bytes[at] as number) - ZERO);
  return seconds * 1e6 + us * (POWERS_OF_TEN[6 - decimals] as number);
}

/** The year 2106: see `secondsToUs`. */
const MAX_EXACT_SECONDS = 2 ** 32;

/** The value of a NUMBER or an OTHER_NUMBER. */
export function numberAt({ text, bytes, kinds, starts, ends }: JsonTokens, token: number): number {
  const start = starts[token] as number;
  const end = ends[token] as number;
  if (kinds[token] === OTHER_NUMBER) return Number(text.slice(start, end));
  let at = bytes[start] === MINUS ? start + 1 : start;
  let digits = 0;
  let decimals = 0;
  for (; at < end; at++) {
    const code = bytes[at] as number;
    if (code === DOT) decimals = end - at - 1;
    else digits = digits * 10 + (code - ZERO);
  }
  // Both are exact, so that the quotient is the nearest double.
  const value = decimals === 0 ? digits : digits / (POWERS_OF_TEN[decimals] as number);
  return bytes[start] === MINUS ? -value : value;
}

const POWERS_OF_TEN = Array.from({ length: 17 }, (_, exponent) => 10 ** exponent);

const isSpace = (code: number): boolean => code === SPACE || code === 10 || code === 13 || code === 9;

/** Position of the first quote, backslash or control character. */
function endOfPlainText(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let code = bytes[at] as number; code >= SPACE && code !== QUOTE && code !== BACKSLASH; ) {
    code = bytes[++at] as number;
  }
  return at;
}

/** Position of the closing quote; that of the backslash at `start` if an escape is not valid. */
function endOfEscapedText(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === BACKSLASH) {
    const code = bytes[++at] as number;
    if (code === LOWER_U) {
      for (let digit = 0; digit < 4; digit++) if (!isHexDigit(bytes[++at] as number)) return start;
      at++;
    } else if (isEscape(code)) at++;
    else return start;
    at = endOfPlainText(bytes, at);
  }
  return at;
}

const ESCAPES: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'));
const isEscape = (code: number): boolean => ESCAPES.has(code);

function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= ZERO && code <= NINE) || (lower >= 97 && lower <= LOWER_F);
}

/**
 * End of the number at `start`: positive if `String` prints it as it is written and `numberAt` may read its digits, negative if
 * it has to be compared with its double, 0 if it is none.
 */
function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const first = at;
  let code = bytes[at] as number;
  if (!isDigit(code)) return 0;
  if (code === ZERO) code = bytes[++at] as number;
  else while (isDigit(code)) code = bytes[++at] as number;
  let digits = at - first;
  const isBelowOne = bytes[first] === ZERO;
  // Of 0 only without a sign.
  let isPlain = !isBelowOne || code === DOT || first === start;
  if (code === DOT) {
    const point = at;
    code = bytes[++at] as number;
    if (!isDigit(code)) return 0;
    while (isDigit(code)) code = bytes[++at] as number;
    digits += at - point - 1;
    if (bytes[at - 1] === ZERO || (isBelowOne && isBelowMillionth(bytes, point + 1))) isPlain = false;
  }
  const leading = bytes[first] as number;
  if (digits > (leading > ZERO && leading <= THREE ? 16 : 15)) isPlain = false;
  if (code !== LOWER_E && code !== 69) return isPlain ? at : -at;
  code = bytes[++at] as number;
  if (code === PLUS || code === MINUS) code = bytes[++at] as number;
  if (!isDigit(code)) return 0;
  while (isDigit(code)) code = bytes[++at] as number;
  return -at;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** Whether six zeros follow the point: then `String` prints an exponent. */
function isBelowMillionth(bytes: Uint8Array, decimals: number): boolean {
  for (let at = decimals; at < decimals + 6; at++) if (bytes[at] !== ZERO) return false;
  return true;
}
