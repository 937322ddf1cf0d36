import { OpenrayError } from '../errors.ts';
import type { Filter } from './ast.ts';
import { type Cursor, cursorOver, type Expectation, FilterSyntaxError } from './cursor.ts';
import { expectationTexts } from './expectation.ts';
import { parseWhole } from './grammar.ts';

export const MAX_FILTER_LENGTH = 10_000;

/** `position` is an offset in UTF-16 code units; `expected` lists the elements that are possible there. */
export type FilterError = { readonly message: string; readonly position: number; readonly expected: readonly string[] };

export type ParseResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: FilterError };

export type FilterParseResult =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly error: FilterError };

/**
 * Parses a filter expression. A blank one matches every trace.
 * Throws InvalidRequestException with the reason and the offset of the mistake.
 */
export function parseFilter(text: string): Filter {
  const result = readFilter(text);
  if (result.ok) return result.filter;
  throw invalidFilter(result.error.message, result.error.position);
}

/** Like `parseFilter`, but returns a mistake as data. */
export function readFilter(text: string): FilterParseResult {
  const result = read(text, MAX_FILTER_LENGTH, parseWhole);
  return result.ok ? { ok: true, filter: result.value } : { ok: false, error: result.error };
}

/** The elements that are possible at the end of `text`; empty if there is a mistake before it. */
export function expectedAfter(text: string): readonly Expectation[] {
  const { cursor } = read(text, MAX_FILTER_LENGTH, parseWhole);
  return cursor.token.kind === 'end' ? cursor.expected : [];
}

export function invalidFilter(reason: string, position: number): OpenrayError {
  return new OpenrayError('InvalidRequestException', `Invalid filter expression: ${reason} at position ${position}`);
}

/** Runs `parse` over `text` and returns a mistake as data. The cursor is at the position where `parse` ended. */
export function read<T>(
  text: string,
  maxLength: number,
  parse: (cursor: Cursor) => T,
): ParseResult<T> & { cursor: Cursor } {
  const cursor = cursorOver(text);
  try {
    if (text.length > maxLength) throw new FilterSyntaxError(`longer than ${maxLength} characters`, maxLength);
    return { cursor, ok: true, value: parse(cursor) };
  } catch (thrown) {
    if (!(thrown instanceof FilterSyntaxError)) throw thrown;
    const expected = thrown.position === cursor.token.start ? expectationTexts(cursor.expected) : [];
    return { cursor, ok: false, error: { message: thrown.message, position: thrown.position, expected } };
  }
}
