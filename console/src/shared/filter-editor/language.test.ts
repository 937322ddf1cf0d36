import fc from 'fast-check';
import { expect, test } from 'vitest';
import { filterErrorIn, tokens } from './language.ts';

test('a good filter has no mistake, an empty one neither', () => {
  expect(filterErrorIn('annotation.user_id = "brian1" AND responsetime > 0.5')).toBeUndefined();
  expect(filterErrorIn('')).toBeUndefined();
});

test('a mistake is marked at the word where it is', () => {
  expect(filterErrorIn('ok AND nonsense = 1')).toMatchObject({ from: 7, to: 15 });
});

test('where the text ends too early its last character is marked', () => {
  expect(filterErrorIn('http.status =')).toMatchObject({ from: 12, to: 13 });
});

test('whatever is typed, a mark lies inside of the text and a message says why', () => {
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
      const mistake = filterErrorIn(text);
      if (!mistake) return;
      expect(mistake.from).toBeLessThanOrEqual(mistake.to);
      expect(mistake.to).toBeLessThanOrEqual(text.length);
      expect(mistake.message).toMatch(/^\S.*\.$/);
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
