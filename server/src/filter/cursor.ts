import type { Field, Operator, Range } from './ast.ts';
import type { Scope } from './keywords.ts';
import { bareValueAt, keyAt, type Token, tokenAt } from './lexer.ts';

/** An element that the parser looked for. Error sentences and the editor's completions are made from these. */
export type Expectation =
  /** A keyword, field or selector of the scope. */
  | { readonly kind: 'term'; readonly scope: Scope }
  | { readonly kind: 'operator'; readonly operator: Operator | 'IN' }
  | { readonly kind: 'value'; readonly of: ValueOf }
  /** A word or symbol of the language. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'end' };

/** The use of a value: the field that it is compared with, or its role in a selector. */
export type ValueOf = Field | 'service name' | 'service type' | 'account id' | 'group.name' | 'group.arn' | 'json';

/** The position of a parser. Its only mutable state. */
export type Cursor = {
  readonly text: string;
  token: Token;
  /** End of the previous token. */
  lastEnd: number;
  /** Everything that was looked for at `token`. */
  expected: Expectation[];
  depth: number;
};

/** A mistake in an expression. It never leaves this folder: the parser turns it into data or an OpenrayError. */
export class FilterSyntaxError extends Error {
  readonly position: number;

  constructor(reason: string, position: number) {
    super(reason);
    this.position = position;
  }
}

const MAX_NESTING = 128;

export function cursorOver(text: string): Cursor {
  return { text, token: tokenAt(text, 0), lastEnd: 0, expected: [], depth: 0 };
}

export function advance(cursor: Cursor): void {
  moveTo(cursor, cursor.token.end, tokenAt(cursor.text, cursor.token.end));
}

function moveTo(cursor: Cursor, end: number, next: Token): void {
  cursor.lastEnd = end;
  cursor.token = next;
  cursor.expected = [];
}

/** Consumes the word (in any case) or symbol if it is next. */
export function accept(cursor: Cursor, text: string): boolean {
  cursor.expected.push({ kind: 'text', text });
  if (!isNext(cursor, text)) return false;
  advance(cursor);
  return true;
}

export function isNext({ token }: Cursor, text: string): boolean {
  return (token.kind === 'symbol' || token.kind === 'word') && token.text.toUpperCase() === text.toUpperCase();
}

export function expect(cursor: Cursor, text: string): void {
  if (!accept(cursor, text)) fail(cursor, `expected ${/\w/.test(text) ? text : `"${text}"`}`);
}

/** Consumes a string and returns its value. `noun` completes "expected …". */
export function expectString(cursor: Cursor, of: ValueOf, noun: string): string {
  cursor.expected.push({ kind: 'value', of });
  const { token } = cursor;
  if (token.kind !== 'string') return fail(cursor, `expected ${noun}`);
  advance(cursor);
  return token.value;
}

/** Consumes a key in brackets, and the brackets. */
export function expectKey(cursor: Cursor): string {
  expect(cursor, '[');
  const key = keyAt(cursor.text, cursor.lastEnd);
  moveTo(cursor, cursor.lastEnd, key);
  if (key.kind !== 'string') return fail(cursor, 'expected a key');
  advance(cursor);
  expect(cursor, ']');
  return key.value;
}

/** Consumes a value without quotes, or returns undefined. */
export function acceptBareValue(cursor: Cursor): string | undefined {
  const { start } = cursor.token;
  const text = bareValueAt(cursor.text, start);
  if (text === undefined) return undefined;
  moveTo(cursor, start + text.length, tokenAt(cursor.text, start + text.length));
  return text;
}

/** Runs `inner` one level deeper. Throws beyond MAX_NESTING levels, which protects the call stack. */
export function nested<T>(cursor: Cursor, inner: () => T): T {
  cursor.depth += 1;
  if (cursor.depth > MAX_NESTING) {
    throw new FilterSyntaxError(`nested deeper than ${MAX_NESTING} levels`, cursor.token.start);
  }
  const value = inner();
  cursor.depth -= 1;
  return value;
}

/** The range from `start` to the end of the last consumed token. */
export function rangeFrom(cursor: Cursor, start: number): Range {
  return { start, end: cursor.lastEnd };
}

/** Throws `reason` with the token that was found instead. A broken token has a reason of its own, which wins. */
export function fail(cursor: Cursor, reason: string): never {
  const { token } = cursor;
  if (token.kind === 'bad') throw new FilterSyntaxError(token.reason, token.at);
  throw new FilterSyntaxError(`${reason}, found ${describe(cursor)}`, token.start);
}

function describe({ text, token }: Cursor): string {
  return token.kind === 'end' ? 'the end' : text.slice(token.start, Math.min(token.end, token.start + 40));
}
