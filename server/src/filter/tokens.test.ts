import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tokens } from './tokens.ts';

function kinds(text: string): readonly string[] {
  return tokens(text).map(({ kind, start, end, isOpen }) => `${kind} ${text.slice(start, end)}${isOpen ? '…' : ''}`);
}

test('every part of an expression has its kind', () => {
  expect(kinds('ok and !http.status >= -2.5 Annotation.tier IN ("a")')).toEqual([
    'keyword ok',
    'logic and',
    'logic !',
    'keyword http.status',
    'operator >=',
    'number -2.5',
    'keyword Annotation',
    'key .tier',
    'operator IN',
    'punctuation (',
    'string "a"',
    'punctuation )',
  ]);
});

test('brackets contain a key after a field and JSON after #', () => {
  expect(kinds('metadata[my ns]["a.b"].c')).toEqual([
    'keyword metadata',
    'punctuation [',
    'key my ns',
    'punctuation ]',
    'punctuation [',
    'key "a.b"',
    'punctuation ]',
    'key .c',
  ]);
  expect(kinds('#[[1]] annotation[1]').slice(0, 6)).toEqual([
    'punctuation #',
    'punctuation [',
    'punctuation [',
    'number 1',
    'punctuation ]',
    'punctuation ]',
  ]);
  expect(kinds('#[[1]] annotation[1]').slice(6)).toEqual([
    'keyword annotation',
    'punctuation [',
    'key 1',
    'punctuation ]',
  ]);
});

test('names and types may be without quotes', () => {
  expect(kinds('name = data-plane type = AWS::Lambda')).toEqual([
    'keyword name',
    'operator =',
    'string data-plane',
    'keyword type',
    'operator =',
    'string AWS::Lambda',
  ]);
});

test('an incomplete text keeps its kinds', () => {
  expect(kinds('fault & user = "bo')).toEqual([
    'keyword fault',
    'unknown &',
    'keyword user',
    'operator =',
    'string "bo…',
  ]);
  expect(kinds('annotation[req')).toEqual(['keyword annotation', 'punctuation [', 'key req…']);
});

test('tokens of any text are in order, inside it, and omit only blanks', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 20 })), (text) => {
      let at = 0;
      for (const { start, end } of tokens(text)) {
        expect(start).toBeGreaterThanOrEqual(at);
        expect(text.slice(at, start).trim()).toBe('');
        expect(end).toBeGreaterThan(start);
        at = end;
      }
      expect(at).toBeLessThanOrEqual(text.length);
      expect(text.slice(at).trim()).toBe('');
    }),
    { numRuns: 2_000 },
  );
});

test('a string that ends in a backslash is open', () => {
  expect(tokens('user = " \\').at(-1)).toMatchObject({ kind: 'string', isOpen: true });
});
