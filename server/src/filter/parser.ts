import { OpenrayError } from '../errors.ts';
import type { Filter } from './ast.ts';
import { type Cursor, cursorOver, type Expectation, FilterSyntaxError } from './cursor.ts';
import { expectationTexts } from './expectation.ts';
import { parseWhole } from './grammar.ts';

export const MAX_FILTER_LENGTH = 10_000;

/** `position` is an offset in UTF-16 code units; `expected` says what could have stood there. */
export type FilterError = { readonly message: string; readonly position: number; readonly expected: readonly string[] };

export type ParseResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: FilterError };

export type FilterParseResult =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly error: FilterError };

/**
 * Reads a filter expression. A blank one matches every trace.
 * Throws InvalidRequestException with the reason and the offset where it applies.
 */
export function parseFilter(text: string): Filter {
  const reading = readFilter(text);
  if (reading.ok) return reading.filter;
  throw invalidFilter(reading.error.message, reading.error.position);
}

/** Like `parseFilter`, with a mistake as data. */
export function readFilter(text: string): FilterParseResult {
  const reading = read(text, MAX_FILTER_LENGTH, parseWhole);
  return reading.ok ? { ok: true, filter: reading.value } : { ok: false, error: reading.error };
}

/** What could stand at the end of `text`; empty where `text` goes wrong before its end. */
export function expectedAfter(text: string): readonly Expectation[] {
  const { cursor } = read(text, MAX_FILTER_LENGTH, parseWhole);
  return cursor.token.kind === 'end' ? cursor.expected : [];
}

export function invalidFilter(reason: string, position: number): OpenrayError {
  return new OpenrayError('InvalidRequestException', `Invalid filter expression: ${reason} at position ${position}`);
}

/** Runs `parse` over `text`, a mistake as data. The cursor stands where it ended. */
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
