import fc from 'fast-check';
import { expect, test } from 'vitest';
import { filterErrorIn, tokens } from './language.ts';

test('a valid filter has no error, nor has an empty one', () => {
  expect(filterErrorIn('annotation.user_id = "brian1" AND responsetime > 0.5')).toBeUndefined();
  expect(filterErrorIn('')).toBeUndefined();
});

test('an error is marked at its word', () => {
  expect(filterErrorIn('ok AND nonsense = 1')).toMatchObject({ from: 7, to: 15 });
});

test('the last character is marked where the text ends too early', () => {
  expect(filterErrorIn('http.status =')).toMatchObject({ from: 12, to: 13 });
});

test('the mark of any error lies inside the text, and its message is a sentence', () => {
  const pieces = [
    'service("a")',
    '{',
    '}',
    '(',
    ')',
    'fault',
    ' AND ',
    ' OR ',
    'annotation.',
    '"',
    '=',
    '1',
    ' ',
    '#[',
    'é',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { minLength: 1 }), (chosen) => {
      const text = chosen.join('');
      const error = filterErrorIn(text);
      if (!error) return;
      expect(error.from).toBeLessThanOrEqual(error.to);
      expect(error.to).toBeLessThanOrEqual(text.length);
      expect(error.message).toMatch(/^\S.*\.$/);
    }),
  );
});

test('tokens come in order and do not overlap, as the editor’s decorations must', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab.=<>"{}()[]#! 0') }), (text) => {
      let end = 0;
      for (const token of tokens(text)) {
        expect(token.start).toBeGreaterThanOrEqual(end);
        expect(token.end).toBeGreaterThan(token.start);
        end = token.end;
      }
    }),
  );
});
