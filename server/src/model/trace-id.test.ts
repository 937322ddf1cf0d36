import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceId, parseTraceId, readEntityId, readTraceId } from './trace-id.ts';

const hexDigits = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${length}}$`));

test('a trace id is the same in both forms and any case', () => {
  fc.assert(
    fc.property(hexDigits(32), (digits) => {
      const id = parseTraceId(digits);
      expect(id).toBe(digits.toLowerCase());
      expect(parseTraceId(formatTraceId(id))).toBe(id);
      expect(parseTraceId(formatTraceId(id).toUpperCase())).toBe(id);
    }),
  );
});

test('an entity id is 16 hex digits in lower case', () => {
  fc.assert(
    fc.property(hexDigits(16), (digits) => {
      expect(readEntityId(digits)).toBe(digits.toLowerCase());
    }),
  );
});

test('any other text is not an id', () => {
  const others = fc.string().filter((text) => !/^[0-9a-f-]+$/i.test(text));
  fc.assert(
    fc.property(others, (text) => {
      expect(readTraceId(text)).toBeUndefined();
      expect(readEntityId(text)).toBeUndefined();
    }),
    { examples: [['1-6650a080-3c4d5e6f708192a3b4c5d6e7\n'], ['1-6650a080'], ['']] },
  );
});

test('the error contains the start of the invalid text', () => {
  expect(() => parseTraceId(`1-${'z'.repeat(200)}`)).toThrow(
    expect.objectContaining({
      code: 'InvalidRequestException',
      message: expect.stringMatching(/^Invalid trace id 1-z{62}: /),
    }),
  );
});
