import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonObject, type JsonValue } from './json.ts';
import {
  ARRAY,
  ESCAPED_TEXT,
  FALSE,
  NULL,
  NUMBER,
  newJsonTokens,
  numberAt,
  OBJECT,
  OTHER_NUMBER,
  readTokens,
  sharedTextAt,
  TEXT,
  TRUE,
  textAt,
  timeUsAt,
} from './json-tokens.ts';
import { numberText } from './testing/number-texts.ts';
import { readTimeUs } from './time.ts';

const tokens = newJsonTokens();

/** The value of a token, as `JSON.parse` gives it. */
function valueAt(token: number): JsonValue {
  const { kinds, nexts } = tokens;
  switch (kinds[token]) {
    case OBJECT: {
      const entries: [string, JsonValue][] = [];
      const end = nexts[token] as number;
      for (let at = token + 1; at < end; at = nexts[at + 1] as number)
        entries.push([textAt(tokens, at), valueAt(at + 1)]);
      return Object.fromEntries(entries);
    }
    case ARRAY: {
      const items: JsonValue[] = [];
      const end = nexts[token] as number;
      for (let at = token + 1; at < end; at = nexts[at] as number) items.push(valueAt(at));
      return items;
    }
    case TEXT:
    case ESCAPED_TEXT:
      return textAt(tokens, token);
    case NUMBER:
    case OTHER_NUMBER:
      return numberAt(tokens, token);
    case TRUE:
      return true;
    case FALSE:
      return false;
    case NULL:
      return null;
    default:
      throw new Error(`kind ${kinds[token]}`);
  }
}

/** Undefined if the text is refused. */
const read = (text: string): JsonValue | undefined => (readTokens(tokens, text) ? valueAt(0) : undefined);

const value = fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme-ascii' });
const spaced = fc
  .tuple(value, fc.constantFrom<string | number>(0, 1, '\t', 3))
  .map(([one, indent]) => JSON.stringify(one, null, indent));

const hasEscapedName = (value: JsonValue): boolean =>
  Array.isArray(value)
    ? value.some(hasEscapedName)
    : isJsonObject(value) &&
      Object.entries(value).some(([name, member]) => JSON.stringify(name).includes('\\') || hasEscapedName(member));

test('a common text has the value that JSON.parse gives', () => {
  fc.assert(
    fc.property(spaced, (text) => {
      const parsed: JsonValue = JSON.parse(text);
      const known = read(text);
      if (known === undefined) expect(hasEscapedName(parsed)).toBe(true);
      else expect(known).toEqual(parsed);
    }),
    { numRuns: 1_000 },
  );
});

test('a text that JSON.parse refuses is refused', () => {
  const changed = fc
    .tuple(
      spaced,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom('', ...'"\\,:{}[]0-.eE+ \n\u0000u1tfn', '\\u12', '01'),
      fc.nat(2),
    )
    .map(([text, share, inserted, removed]) => {
      const at = Math.floor(share * text.length);
      return text.slice(0, at) + inserted + text.slice(at + removed);
    });
  fc.assert(
    fc.property(changed, (text) => {
      const known = read(text);
      if (known === undefined) return;
      expect(known).toEqual(JSON.parse(text));
    }),
    { numRuns: 5_000 },
  );
});

test('a number is read exactly, and is a NUMBER if String prints it as it is written', () => {
  fc.assert(
    fc.property(
      fc.oneof(numberText, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), decimal),
      (text) => {
        if (!readTokens(tokens, text)) return;
        const number = numberAt(tokens, 0);
        expect(Object.is(number, Number(text)), text).toBe(true);
        if (tokens.kinds[0] === NUMBER) expect(String(number)).toBe(text);
      },
    ),
    { numRuns: 5_000 },
  );
});

const decimal = fc.tuple(fc.integer({ min: -4_000_000_000, max: 4_000_000_000 }), fc.nat(9_999_999), fc.nat(7)).map(
  ([whole, fraction, digits]) =>
    `${whole}.${String(fraction)
      .padStart(7, '0')
      .slice(0, digits + 1)}`,
);

test.each(['1716560000.123456', '0', '-7', '200', '0.000001', '3999999999999999'])('%s is a NUMBER', (text) => {
  expect(read(text)).toBe(Number(text));
  expect(tokens.kinds[0]).toBe(NUMBER);
});

test.each(['1701357248.5713923', '1.0', '1e3', '4000000000000000', '0.0000001'])('%s is an OTHER_NUMBER', (text) => {
  expect(read(text)).toBe(Number(text));
  expect(tokens.kinds[0]).toBe(OTHER_NUMBER);
});

test.each(['9007199254740993', '-0', '1e400', '-0.0', '0.1234567890123456789', '01', '1.', '.5', '-', '1e', '+1'])(
  '%s is refused',
  (text) => {
    expect(read(text)).toBeUndefined();
  },
);

test.each(['"é"', `"${'x'.repeat(70_000)}"`, '{"a\\n":1}', `${'['.repeat(33)}${']'.repeat(33)}`, '"\\ud800', '', ' '])(
  'a rare text is refused',
  (text) => {
    expect(read(text)).toBeUndefined();
  },
);

test('texts at the limits are read', () => {
  expect(read(`"${'x'.repeat(64 * 1024 - 2)}"`)).toHaveLength(64 * 1024 - 2);
  expect(read(`[${'1,'.repeat(16_000)}1]`)).toHaveLength(16_001);
  expect(read(`${'['.repeat(32)}${']'.repeat(32)}`)).toBeDefined();
  // Each character takes three bytes, and their bytes would fit the room of as many characters.
  expect(read('日'.repeat(22_000))).toBeUndefined();
});

test('a time has the microseconds that readTimeUs gives', () => {
  fc.assert(
    fc.property(fc.oneof(numberText, decimal, seconds), (text) => {
      if (readTokens(tokens, text)) expect(timeUsAt(tokens, 0), text).toBe(readTimeUs(Number(text)));
    }),
    { numRuns: 5_000 },
  );
});

const seconds = fc
  .tuple(fc.integer({ min: 0, max: 9_000_000_000 }), fc.nat(999_999))
  .map(([whole, us]) => `${whole}.${String(us).padStart(6, '0')}`.replace(/\.?0*$/, ''));

test('a shared text is the text, however often and in any order texts come', () => {
  const text = fc.oneof(fc.constantFrom('gold', 'silver', 'Aa', 'BB', 'x'.repeat(32), 'x'.repeat(33), ''), fc.string());
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), (texts) => {
      for (const one of [...texts, ...texts, ...texts.toReversed()]) {
        if (readTokens(tokens, JSON.stringify(one))) expect(sharedTextAt(tokens, 0)).toBe(one);
      }
    }),
    { numRuns: 300 },
  );
});
