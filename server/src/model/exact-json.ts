import { ExactNumber, isDouble, withMarkedNumbers } from './exact-number.ts';
import type { JsonValue } from './json.ts';

/*
 * JSON with numbers that a double cannot hold. `JSON.parse` gives the source of numbers to a reviver only from Node 22
 * on, for a multiple of the time. So numbers beyond a double, which are rare, become marked strings before it
 * parses, and `ExactNumber`s after it. Unlike a parser of its own that keeps its speed, its bounds and its rules, such
 * as those for repeated names.
 */

/** `JSON.parse` that keeps all digits of numbers. Throws its SyntaxError. */
export function parseJson(text: string): JsonValue {
  const value: JsonValue = JSON.parse(text);
  return hasExactNumbers(text) ? parseExactNumbers(text) : value;
}

/** `JSON.stringify` that prints all digits of numbers. */
export function printJson(value: unknown, indent?: number): string {
  let hasMarks = false;
  const marked = (number: string) => {
    hasMarks = true;
    return `${MARK}${number}`;
  };
  const text = withMarkedNumbers(marked, () => JSON.stringify(value, null, indent));
  return hasMarks ? text.replaceAll(MARKED, '$1') : text;
}

/** No sender can know it, so no text that was sent has it. */
const MARK = `number-${Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')}:`;
const MARKED = new RegExp(`"${MARK}([^"]+)"`, 'g');

/** `text` has numbers that a double cannot hold, and `JSON.parse` accepts it. */
export function parseExactNumbers(text: string): JsonValue {
  let marked = '';
  let from = 0;
  forEachNumber(text, (start, end, isCandidate) => {
    if (!isCandidate || isDouble(text.slice(start, end))) return;
    marked += `${text.slice(from, start)}"${MARK}${text.slice(start, end)}"`;
    from = end;
  });
  return withExactNumbers(JSON.parse(marked + text.slice(from)));
}

/** Changes `value`, which nothing else refers to. Keeps its own stack: documents nest deeper than calls can. */
function withExactNumbers(value: JsonValue): JsonValue {
  const top = [value];
  const waiting: Mutable[] = [top as unknown as Mutable];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const key of Object.keys(next)) {
      const member = next[key];
      if (typeof member === 'object' && member !== null) waiting.push(member as Mutable);
      else if (typeof member === 'string' && member.startsWith(MARK)) {
        // Assignment would not change a member `__proto__`.
        Object.defineProperty(next, key, { value: new ExactNumber(member.slice(MARK.length)) });
      }
    }
  }
  return top[0] as JsonValue;
}

type Mutable = { [key: string]: JsonValue };

function hasExactNumbers(text: string): boolean {
  let isFound = false;
  forEachNumber(text, (start, end, isCandidate) => {
    isFound ||= isCandidate && !isDouble(text.slice(start, end));
  });
  return isFound;
}

/** Calls `visit` for each number outside of strings, in a text that `JSON.parse` accepts. */
function forEachNumber(text: string, visit: (start: number, end: number, isCandidate: boolean) => void): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (isNumberStart(code)) {
      const end = endOfNumber(text, at);
      visit(at, Math.abs(end), end < 0);
      at = Math.abs(end) - 1;
    }
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const ZERO = 48;
const THREE = 51;
const NINE = 57;
const UPPER_E = 69;
const LOWER_E = 101;

export const isNumberStart = (code: number): boolean => (code >= ZERO && code <= NINE) || code === MINUS;

/** Offset of the closing quote. `indexOf` is 1.4 times as fast as a loop over the characters. */
export function endOfString(text: string, open: number): number {
  let quote = text.indexOf('"', open + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/**
 * Offset behind the number at `start`; negative if a double may not hold the number. A double holds 15 digits, and 16
 * that begin with 1, 2 or 3, as times in microseconds do.
 */
export function endOfNumber(text: string, start: number): number {
  let at = text.charCodeAt(start) === MINUS ? start + 1 : start;
  const isNegative = at > start;
  const first = text.charCodeAt(at);
  let digits = 0;
  let isZero = true;
  let code = first;
  for (; (code >= ZERO && code <= NINE) || code === DOT; code = text.charCodeAt(++at)) {
    if (code === DOT) continue;
    digits++;
    if (code !== ZERO) isZero = false;
  }
  const maxDigits = first > ZERO && first <= THREE ? 16 : 15;
  if (code !== LOWER_E && code !== UPPER_E) return digits > maxDigits || (isNegative && isZero) ? -at : at;
  code = text.charCodeAt(++at);
  if (code === MINUS || code === PLUS) code = text.charCodeAt(++at);
  const exponent = at;
  while (code >= ZERO && code <= NINE) code = text.charCodeAt(++at);
  // An exponent of two digits is far from the ends of the range of doubles.
  return digits > maxDigits || at - exponent > 2 || (isNegative && isZero) ? -at : at;
}

const DOT = 46;
const PLUS = 43;
