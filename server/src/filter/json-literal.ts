import type { JsonValue } from '../model/json.ts';
import { accept, advance, type Cursor, expect, fail, isNext, nested } from './cursor.ts';

/** A JSON array at the cursor. It is read with the expression's tokens, so that a mistake has a position. */
export function parseJsonArray(cursor: Cursor): readonly JsonValue[] {
  expect(cursor, '[');
  return parseElements(cursor);
}

function parseElements(cursor: Cursor): readonly JsonValue[] {
  const elements: JsonValue[] = [];
  if (accept(cursor, ']')) return elements;
  do elements.push(parseJson(cursor));
  while (accept(cursor, ','));
  expect(cursor, ']');
  return elements;
}

function parseJson(cursor: Cursor): JsonValue {
  return nested(cursor, () => {
    if (accept(cursor, '[')) return parseElements(cursor);
    if (accept(cursor, '{')) return parseMembers(cursor);
    return parseScalar(cursor);
  });
}

function parseMembers(cursor: Cursor): JsonValue {
  const members: [string, JsonValue][] = [];
  if (accept(cursor, '}')) return {};
  do {
    const { token } = cursor;
    if (token.kind !== 'string') return fail(cursor, 'expected a quoted name');
    advance(cursor);
    expect(cursor, ':');
    members.push([token.value, parseJson(cursor)]);
  } while (accept(cursor, ','));
  expect(cursor, '}');
  return Object.fromEntries(members);
}

const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

function parseScalar(cursor: Cursor): JsonValue {
  const { token } = cursor;
  if (token.kind === 'string' || token.kind === 'number') {
    advance(cursor);
    return token.value;
  }
  const word = WORDS.find(([text]) => isNext(cursor, text));
  if (word === undefined) return fail(cursor, 'expected a JSON value');
  advance(cursor);
  return word[1];
}
