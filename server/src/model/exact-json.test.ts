import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson, printJson } from './exact-json.ts';
import { compareNumbers, ExactNumber, numberOf } from './exact-number.ts';
import type { JsonObject } from './json.ts';
import { numberText } from './testing/number-texts.ts';

test('a number beyond a double keeps its text, any other its value', () => {
  fc.assert(
    fc.property(numberText, fc.constantFrom('', ' '), (text, space) => {
      const printed = printJson(parseJson(`{"a":[${space}${text}${space}]}`)).slice('{"a":['.length, -']}'.length);
      if (numberOf(text) instanceof ExactNumber) expect(printed).toBe(text);
      expect(compareNumbers(numberOf(printed), numberOf(text))).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test('without such numbers it is JSON.parse and JSON.stringify', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(parseJson(text)).toEqual(JSON.parse(text));
      expect(printJson(value, indent)).toBe(text);
    }),
  );
});

test('digits in texts and names are no numbers', () => {
  const text = String.raw`{"9007199254740993":"a\":9007199254740993","b":9007199254740993,"c\\":"-0, 1e400"}`;
  expect(printJson(parseJson(text))).toBe(text);
  expect(parseJson(text)).toEqual({ ...JSON.parse(text), b: new ExactNumber('9007199254740993') });
});

test('a name that objects inherit is a member like any other', () => {
  const text = '{"__proto__":9007199254740993,"constructor":{"__proto__":{"a":1e400}}}';
  const value = parseJson(text) as JsonObject;
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
  expect(printJson(value)).toBe(text);
});

test('of a repeated name the last value counts, as for JSON.parse', () => {
  expect(printJson(parseJson('{"a":9007199254740993,"a":1}'))).toBe('{"a":1}');
  expect(printJson(parseJson('{"a":1,"a":9007199254740993}'))).toBe('{"a":9007199254740993}');
});

test('depth is not bounded by the call stack', () => {
  const levels = 20_000;
  expect(() => parseJson(`${'['.repeat(levels)}9007199254740993${']'.repeat(levels)}`)).not.toThrow();
});

test('JSON.stringify gives the nearest double', () => {
  expect(JSON.stringify(parseJson('[9007199254740993,1e400]'))).toBe('[9007199254740992,null]');
});

test('what is not JSON is refused as by JSON.parse', () => {
  for (const text of ['', '{"a":01}', '[9007199254740993', '-', '1.', '{"a":9007199254740993,}']) {
    expect(() => parseJson(text), text).toThrow(SyntaxError);
  }
});
