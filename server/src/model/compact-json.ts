import { endOfNumber, endOfString, isNumberStart } from './exact-json.ts';
import { isDouble } from './exact-number.ts';

const QUOTE = 34;
const SPACE = 32;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** `hasExactNumbers`: some number needs `parseExactNumbers`. */
export type CompactJson = { readonly text: string; readonly depth: number; readonly hasExactNumbers: boolean };

/**
 * Removes the white space between tokens of a text that `JSON.parse` accepts, and returns how deep it nests.
 * Tokens stay as they were written, so numbers keep all their digits. A text that is already compact is
 * returned unchanged. One pass over the characters costs a fraction of printing the parsed value.
 */
export function compactJson(text: string): CompactJson {
  let compact = '';
  let from = 0;
  let depth = 0;
  let deepest = 0;
  let hasExactNumbers = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--;
    } else if (code <= SPACE) {
      compact += text.slice(from, at);
      from = at + 1;
    } else if (isNumberStart(code)) {
      const end = endOfNumber(text, at);
      hasExactNumbers ||= end < 0 && !isDouble(text.slice(at, -end));
      at = Math.abs(end) - 1;
    }
  }
  return { text: from === 0 ? text : compact + text.slice(from), depth: deepest, hasExactNumbers };
}

/**
 * Whether `text` takes more than `maxBytes` in UTF-8. Counts the bytes only if the number of characters cannot
 * decide.
 */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  if (text.length * 3 <= maxBytes) return false;
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    // Each half of a surrogate pair counts for two of the four bytes of its character.
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes > maxBytes;
}
