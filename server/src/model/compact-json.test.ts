import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compactJson, exceedsBytes } from './compact-json.ts';

test('a value printed with any indent compacts to the text of JSON.stringify', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(1, 4, '\t', '\r\n '), (value, indent) => {
      const spaced = ` ${JSON.stringify(value, null, indent)}\n`;
      expect(compactJson(spaced).text).toBe(JSON.stringify(value));
    }),
  );
});

test('a compact text is returned unchanged, also with quotes and backslashes in strings', () => {
  const text = String.raw`{"a \" b":"c: \\","d":[1, 2]}`.replace('1, 2', '1,2');
  expect(compactJson(text).text).toBe(text);
});

test('numbers keep digits that JavaScript loses', () => {
  expect(compactJson('{ "n" : 12345678901234567890 }').text).toBe('{"n":12345678901234567890}');
});

test('depth counts arrays and objects, not brackets in strings', () => {
  expect(compactJson('7').depth).toBe(0);
  expect(compactJson('{"a":[{"b":"[[[[{"}]}').depth).toBe(3);
});

test('bytes are those of UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(160), (text, maxBytes) => {
      expect(exceedsBytes(text, maxBytes)).toBe(new TextEncoder().encode(text).length > maxBytes);
    }),
  );
});
