import { type AnyNumber, compareNumbers, doubleOf, numberOf } from '../model/exact-number.ts';

/** A token of an expression. Tokens are read one at a time: the meaning of `[` depends on the tokens before it. */
export type Token = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: AnyNumber }
  | { readonly kind: 'symbol'; readonly text: string }
  /** `.name.name` directly after a bracket. */
  | { readonly kind: 'steps'; readonly text: string }
  | { readonly kind: 'end' }
  /**
   * No token of the language. `at` is the offset of the mistake; `isUnterminated` if the text ends inside a string or
   * bracket.
   */
  | { readonly kind: 'bad'; readonly reason: string; readonly at: number; readonly isUnterminated: boolean }
);

const SPACE = /\s*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_.-]*/y;
const STEPS = /\.[A-Za-z0-9_.-]*/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SYMBOL = /[!<>]=|[(){}[\],:!=<>#]/y;
const BARE_KEY = /[^\]["]*/y;
const BARE_VALUE = /[A-Za-z0-9_.:-]+/y;

/** The token at `offset`, or after the blanks there. */
export function tokenAt(text: string, offset: number): Token {
  const start = skipSpace(text, offset);
  if (start >= text.length) return { kind: 'end', start: text.length, end: text.length };
  if (text[start] === '"') return stringAt(text, start);

  const word = read(WORD, text, start);
  if (word !== undefined) return { kind: 'word', text: word, start, end: start + word.length };
  const number = read(NUMBER, text, start);
  if (number !== undefined) return numberToken(number, start);
  const symbol = read(SYMBOL, text, start);
  if (symbol !== undefined) return { kind: 'symbol', text: symbol, start, end: start + symbol.length };
  const steps = read(STEPS, text, start);
  if (steps !== undefined) return { kind: 'steps', text: steps, start, end: start + steps.length };
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  return bad(start, start + character.length, `unexpected ${JSON.stringify(character)}`);
}

/** The key after `[`: a string, or all text up to `]` without the blanks around it. */
export function keyAt(text: string, offset: number): Token {
  const start = skipSpace(text, offset);
  if (text[start] === '"') return stringAt(text, start);
  const raw = read(BARE_KEY, text, start) ?? '';
  const value = raw.trimEnd();
  const end = start + value.length;
  if (start + raw.length >= text.length) {
    return bad(start, end, 'the bracket is not closed', { at: text.length, isUnterminated: true });
  }
  if (value === '') return bad(start, end, 'expected a key');
  return { kind: 'string', value, start, end };
}

/** A value without quotes, as `name` and `type` allow; undefined if there is none at `offset`. */
export function bareValueAt(text: string, offset: number): string | undefined {
  return read(BARE_VALUE, text, offset);
}

function stringAt(text: string, start: number): Token {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && !/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(at + 1, at + 6))) {
      const isLast = at + 1 === text.length;
      if (isLast) return bad(start, text.length, 'the string is not closed', { at: start, isUnterminated: true });
      return bad(start, text.length, 'unknown escape in a string', { at, isUnterminated: false });
    }
    at += text[at] === '\\' ? 2 : 1;
  }
  if (at >= text.length) {
    return bad(start, text.length, 'the string is not closed', { at: start, isUnterminated: true });
  }
  return { kind: 'string', value: decode(text.slice(start + 1, at)), start, end: at + 1 };
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Decodes JSON's escapes. Unlike `JSON.parse` it accepts line breaks, which pasted text has. */
function decode(raw: string): string {
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function numberToken(text: string, start: number): Token {
  // JSON has no zeros in front.
  const value = numberOf(text.replace(/^(-?)0+(?=\d)/, '$1'));
  return {
    kind: 'number',
    value: doubleOf(value) === 0 && compareNumbers(value, 0) === 0 ? 0 : value,
    start,
    end: start + text.length,
  };
}

function bad(
  start: number,
  end: number,
  reason: string,
  { at, isUnterminated } = { at: start, isUnterminated: false },
): Token {
  return { kind: 'bad', reason, at, isUnterminated, start, end };
}

function skipSpace(text: string, offset: number): number {
  return offset + (read(SPACE, text, offset)?.length ?? 0);
}

/** The match of the sticky `pattern` at exactly `offset`. */
function read(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
